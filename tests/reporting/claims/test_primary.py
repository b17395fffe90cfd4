"""Internal against standard KD on each task, with Holm's adjustment, and their mean."""

import math
from dataclasses import replace

import numpy as np
import pytest

from internal_kd.evaluation.inference import holm
from internal_kd.reporting.claims.evidence import Evidence
from internal_kd.reporting.claims.primary import internal_beats_standard
from tests.reporting.claims.study import SETTINGS, settings_row
from tests.reporting.fake_runs import frame_of, logits_for, write_fake_run

N = 400
LABELS = np.arange(N) % 2
TASKS = ("rte", "qnli")


def shifted(right, seed):
    """Answers right on as many examples, from another one on for each seed."""
    flags = np.roll(np.arange(N) < right, 7 * seed)
    return frame_of(LABELS, logits_for(np.where(flags, LABELS, 1 - LABELS)))


def evidence_of(path, gains, seeds=3, internal="exp3.2", **settings):
    """Internal KD with so many more right answers on each task (of 400) than standard KD."""
    runs = [
        write_fake_run(
            path, task, name, seed=s, layers=4, validation=shifted(280 + more + jitter * s, s)
        )
        for task, gain in gains.items()
        for name, more, jitter in (("exp2.0", 0, 0), (internal, gain, 3))
        for s in range(seeds)
    ]
    return Evidence(
        runs, None, replace(SETTINGS, **{"tasks": TASKS, "internal": internal} | settings)
    )


def test_values_and_adjusted_p(tmp_path):
    found = dict(internal_beats_standard(evidence_of(tmp_path, {"rte": 37, "qnli": -83})))
    assert list(found) == ["rte", "qnli", "mean"]
    rte, qnli, mean = (finding.judgement for finding in found.values())
    assert rte.value == pytest.approx((37 + 3) / N)
    assert qnli.value == pytest.approx((-83 + 3) / N)
    assert mean.value == pytest.approx((rte.value + qnli.value) / 2)
    assert [rte.verdict, qnli.verdict, mean.verdict] == ["holds", "does not hold", "does not hold"]
    expected = holm([rte.tail_p, qnli.tail_p])
    assert [found[task].p_holm for task in ("rte", "qnli")] == pytest.approx(list(expected))
    assert math.isnan(found["mean"].p_holm)
    assert found["mean"].remark == "RTE, QNLI"


def test_a_verdict_needs_an_adjusted_p(tmp_path):
    """One of two tasks has an interval above 0, but its p adjusted over both is above 0.05."""
    found = dict(internal_beats_standard(evidence_of(tmp_path, {"rte": 6, "qnli": -3})))
    one = found["rte"]
    assert one.judgement.low > 0
    assert one.judgement.p < 0.05 < one.p_holm
    assert one.p_holm == pytest.approx(2 * one.judgement.tail_p)
    assert one.judgement.verdict == "inconclusive"


def test_a_single_task_has_no_mean(tmp_path):
    evidence = evidence_of(tmp_path, {"rte": 37}, tasks=["rte"])
    ((task, one),) = internal_beats_standard(evidence)
    assert (task, one.p_holm) == ("rte", one.judgement.p)


def test_a_task_without_runs_does_not_count(tmp_path):
    found = dict(internal_beats_standard(evidence_of(tmp_path, {"qnli": 37})))
    assert list(found) == ["rte", "qnli"]
    assert found["rte"].remark.startswith("no data: no runs of exp2.0")
    assert found["qnli"].p_holm == found["qnli"].judgement.p


def test_two_seeds_give_hints(tmp_path):
    found = dict(internal_beats_standard(evidence_of(tmp_path, {"rte": 37, "qnli": 83}, seeds=2)))
    for finding in found.values():
        assert finding.judgement.verdict == "hint"
        assert finding.remark.startswith("for the claim, a hint only: 2 seeds, verdicts need 3")
        assert math.isnan(finding.p_holm)
        assert math.isnan(finding.judgement.p)


def test_another_head_gives_hints(tmp_path):
    evidence = evidence_of(tmp_path, {"rte": 37, "qnli": 83}, internal="exp3.3")
    for _, finding in internal_beats_standard(evidence):
        assert finding.judgement.verdict == "hint"
        assert "exp3.3 and exp2.0 start with different heads" in finding.remark
    rows = [settings_row("exp2.0"), settings_row("exp3.3")]
    same = Evidence(
        [run.source for run in evidence.runs], None, replace(evidence.settings, rows=tuple(rows))
    )
    assert dict(internal_beats_standard(same))["rte"].judgement.verdict == "holds"
