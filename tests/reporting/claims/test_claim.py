import math

import pytest

from internal_kd.evaluation.inference import over_seeds
from internal_kd.reporting.claims.claim import above, found, on_each_task
from internal_kd.reporting.claims.evidence import Evidence, NoData
from tests.reporting.claims.study import SETTINGS


def judged(values):
    return above(over_seeds(values), 0.95)


def test_a_verdict_without_reservations():
    one = found("gain", judged([0.1, 0.11, 0.12]), "all data")
    assert (one.judgement.verdict, one.remark) == ("holds", "all data")
    assert math.isnan(one.p_holm)


def test_a_reservation_makes_a_hint_of_a_verdict():
    one = found("gain", judged([0.1, 0.11, 0.12]), "all data", ["one teacher per task"])
    assert one.judgement.verdict == "hint"
    assert one.judgement.p < 0.05
    assert one.remark == "for the claim, a hint only: one teacher per task; all data"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([0.1], "for the claim, a hint only: 1 seed, verdicts need 3"),
        ([-0.1, -0.11], "against the claim, a hint only: 2 seeds, verdicts need 3"),
        ([0.0, 0.0], "at the bound of the claim, a hint only: 2 seeds, verdicts need 3"),
        ([0.1] * 3, "for the claim, a hint only: nothing varies, so that there is no test"),
    ],
)
def test_reason_for_a_missing_verdict_is_given(values, reason):
    one = found("gain", judged(values))
    assert (one.judgement.verdict, one.remark) == ("hint", reason)


def test_what_is_missing_on_a_task_is_named():
    def check(evidence, task):
        raise NoData(f"no runs on {task}")

    evidence = Evidence([], None, SETTINGS)
    ((task, one),) = on_each_task(check)(evidence)
    assert (task, one.remark) == ("cola", "no data: no runs on cola")
    assert one.judgement.verdict == "no data"
    ((task, one),) = on_each_task(check, lambda _: [])(evidence)
    assert (task, one.remark) == ("", "no data: no task of this study has the runs it needs")
