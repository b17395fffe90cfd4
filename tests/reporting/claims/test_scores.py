"""Claims about scores, by hand."""

from dataclasses import replace

import pytest

from internal_kd.reporting.claims import scores
from internal_kd.reporting.claims.evidence import Evidence, NoData
from tests.reporting.claims.rte import RTE, evidence_of, read_all, right
from tests.reporting.claims.study import ROWS, settings_row
from tests.reporting.fake_runs import write_fake_run


def test_every_internal_kd_counts_towards_the_smallest(tmp_path):
    found = evidence_of(
        tmp_path, ("exp2.0", 4, 100, 12), ("exp3.2", 4, 100, 15), ("exp3.0", 4, 100, 11)
    )
    for check in (scores.every_internal_beats_standard, scores.all_significant):
        one = check(found, "rte")
        assert one.judgement.value == pytest.approx(-0.05)
        assert one.judgement.n == 20
        assert one.remark.endswith("over exp3.0, exp3.2; smallest for exp3.0")


def test_every_internal_kd_is_compared_with_the_standard_kd_of_its_head(tmp_path):
    runs = [("exp2.0", 4, 100, 12), ("exp2.0t", 4, 100, 17)]
    runs += [("exp3.2", 4, 100, 15), ("exp3.3", 4, 100, 18)]
    one = scores.every_internal_beats_standard(evidence_of(tmp_path, *runs), "rte")
    assert one.judgement.value == pytest.approx(1 / 20)
    assert one.remark.endswith("over exp3.2, exp3.3; smallest for exp3.3")


def test_internal_kds_without_a_standard_kd_of_their_head_are_excluded(tmp_path):
    runs = [("exp2.0", 4, 100, 12), ("exp3.2", 4, 100, 15), ("exp3.3", 4, 100, 11)]
    rows = (*ROWS[:-1], settings_row("exp3.3", "teacher", None, "exp3.3"))
    evidence = evidence_of(tmp_path, *runs, rows=rows)
    one = scores.every_internal_beats_standard(evidence, "rte")
    assert one.judgement.value == pytest.approx(3 / 20)
    assert one.remark.endswith(
        "smallest for exp3.2; excluded, without a counterpart of the same start: exp3.3"
    )
    rows = [settings_row(name, "teacher", None, name) for name in ("exp3.2", "exp3.3")]
    alone = Evidence(evidence.runs, None, replace(RTE, rows=rows))
    with pytest.raises(NoData, match="no internal KD has a counterpart"):
        scores.every_internal_beats_standard(alone, "rte")


def test_students_without_a_teacher_are_compared_with_those_of_their_head(tmp_path):
    runs = [("exp1.1", 4, 100, 12), ("exp3.2", 4, 100, 15), ("exp3.3", 4, 100, 11)]
    evidence = evidence_of(tmp_path, *runs)
    one = scores.every_internal_beats_none(evidence, "rte")
    assert one.judgement.value == pytest.approx(3 / 20)
    assert one.remark.endswith("excluded, without a counterpart of the same start: exp3.3")
    settings = replace(RTE, internal="exp3.3")
    across = scores.internal_beats_none(Evidence(evidence.runs, None, settings), "rte")
    assert across.judgement.verdict == "hint"
    assert "exp3.3 and exp1.1 start with different heads" in across.remark


@pytest.mark.parametrize(
    ("baseline", "other", "reservation"),
    [("exp2.0t", "exp2.0t", False), (None, "exp2.0", True)],
)
def test_the_best_on_the_development_set_is_compared_on_the_test_set(
    tmp_path, baseline, other, reservation
):
    tested = {"exp2.0": 12, "exp2.0t": 13, "exp3.2": 11, "exp3.3": 16}
    for name, answers in tested.items():
        development = 18 if name == "exp3.3" else 15
        write_fake_run(
            tmp_path, "rte", name, layers=4, validation=right(development), test=right(answers)
        )
    rows = [*ROWS[:-1], settings_row("exp3.3", "teacher", baseline, "exp3.3")]
    evidence = Evidence(read_all(tmp_path), None, replace(RTE, rows=rows))
    one = scores.selected_beats_standard_on_test(evidence, "rte")
    assert one.judgement.value == pytest.approx((16 - tested[other]) / 20)
    assert one.remark.endswith(f"best internal KD: exp3.3, against {other}")
    assert ("different heads" in one.remark) is reservation


def test_teacher_against_all_students(tmp_path):
    runs = [("exp1.0", 8, 100, 14), ("exp1.1", 4, 100, 10), ("exp3.2", 4, 100, 15)]
    one = scores.teacher_beats_students(evidence_of(tmp_path, *runs), "rte")
    assert one.judgement.value == pytest.approx(-0.05)
    assert "one teacher per task" in one.remark
    assert "smallest for exp3.2" in one.remark
