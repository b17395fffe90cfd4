"""Claims about errors of students and teacher, by hand."""

import numpy as np
import pytest

from internal_kd.reporting.claims import agreement
from internal_kd.reporting.claims.evidence import Evidence
from tests.reporting.claims.rte import LABELS, RTE, evidence_of, read_all, right
from tests.reporting.fake_runs import frame_of, write_fake_run


def test_agreement_as_in_table_3(tmp_path):
    runs = [("exp1.0", 8, 100, 16), ("exp2.0", 4, 100, 12), ("exp3.2", 4, 100, 18)]
    found = evidence_of(tmp_path, *runs)
    right_too = agreement.right_or_wrong_with_teacher(True, found, "rte")
    assert right_too.judgement.value == pytest.approx(16 / 16 - 12 / 16)
    assert right_too.judgement.n == 16
    wrong_too = agreement.right_or_wrong_with_teacher(False, found, "rte")
    assert wrong_too.judgement.value == pytest.approx(2 / 4 - 4 / 4)
    assert agreement.agrees_with_teacher(found, "rte").judgement.value == pytest.approx(0.1)


def test_each_seed_may_have_a_teacher_that_is_right_elsewhere(tmp_path):
    teachers, standards, internals = (16, 10), (12, 8), (18, 9)
    for seed in (0, 1):
        for name, n, given in (
            ("exp1.0", 8, teachers),
            ("exp2.0", 4, standards),
            ("exp3.2", 4, internals),
        ):
            answers = right(given[seed])
            write_fake_run(tmp_path, "rte", name, layers=n, seed=seed, validation=answers)
    evidence = Evidence(read_all(tmp_path), None, RTE)
    one = agreement.right_or_wrong_with_teacher(True, evidence, "rte").judgement
    assert one.value == pytest.approx(((16 - 12) / 16 + (9 - 8) / 10) / 2)
    assert (one.n, one.seeds) == (16, 2)
    same = agreement.agrees_with_teacher(evidence, "rte").judgement
    assert same.value == pytest.approx(((18 - 16) / 20 + (19 - 18) / 20) / 2)
    assert same.n == 20


def test_a_mean_over_chosen_examples_has_the_variance_of_a_ratio():
    draw = np.random.default_rng(0)
    values, chosen = draw.normal(size=(3, 200)), draw.random((3, 200)) < 0.4
    found = agreement.mean_where(values, chosen)
    assert found.value == pytest.approx(
        np.mean([v[c].mean() for v, c in zip(values, chosen, strict=True)])
    )
    drawn = [
        np.mean([v[rows][c[rows]].mean() for v, c in zip(values, chosen, strict=True)])
        for rows in draw.integers(200, size=(4000, 200))
    ]
    assert found.components[0].variance == pytest.approx(np.var(drawn), rel=0.1)
    same = np.repeat(chosen[:1], 3, axis=0)
    over_seeds = values[:, chosen[0]].mean(axis=0)
    for one in (agreement.mean_where(values, same), agreement.mean_where(values, chosen[:1])):
        expected = over_seeds.var(ddof=1) / len(over_seeds)
        assert one.components[0].variance == pytest.approx(expected)
        assert one.n == len(over_seeds)


def test_over_confidence(tmp_path):
    for name, margin, answers in (("exp2.0", 4.0, 12), ("exp3.2", 0.0, 12)):
        logits = right(answers).logits / 2 * margin
        write_fake_run(tmp_path, "rte", name, layers=4, validation=frame_of(LABELS, logits))
    one = agreement.more_over_confident(Evidence(read_all(tmp_path), None, RTE), "rte")
    sure = 1 / (1 + np.exp(-4.0))
    assert one.judgement.value == pytest.approx((sure - 12 / 20) - (0.5 - 10 / 20), abs=1e-6)
    assert one.remark.startswith("for the claim")


@pytest.mark.parametrize(
    ("answers", "margins", "smaller"),
    [
        ((19, 20), (0.4, 0.1), "standard KD"),
        ((12, 12), (3.0, 4.0), "its lead over internal KD"),
    ],
    ids=["both not sure enough", "internal KD is surer"],
)
def test_over_confidence_needs_both(tmp_path, answers, margins, smaller):
    for name, margin, n in zip(("exp2.0", "exp3.2"), margins, answers, strict=True):
        logits = right(n).logits / 2 * margin
        write_fake_run(tmp_path, "rte", name, layers=4, validation=frame_of(LABELS, logits))
    one = agreement.more_over_confident(Evidence(read_all(tmp_path), None, RTE), "rte")
    sure = [1 / (1 + np.exp(-margin)) - n / 20 for margin, n in zip(margins, answers, strict=True)]
    assert one.judgement.value == pytest.approx(min(sure[0], sure[0] - sure[1]), abs=1e-6)
    assert f"smaller: {smaller}" in one.remark
    assert one.remark.startswith("against the claim")
