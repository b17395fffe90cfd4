"""Claims about scores over epochs, by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from internal_kd.reporting.claims import convergence
from internal_kd.reporting.claims.evidence import Evidence, NoData
from tests.reporting.claims.rte import RTE, right
from tests.reporting.claims.study import SCHEDULE, SETTINGS, history
from tests.reporting.fake_runs import write_fake_run


def converging(path, histories, schedule=SCHEDULE, layers=4):
    """Evidence of a run for each history of scores."""
    runs = [
        write_fake_run(
            path,
            "cola",
            "exp3.3",
            seed=seed,
            layers=layers,
            validation=right(12),
            history=scores,
            schedule=schedule,
        )
        for seed, scores in enumerate(histories)
    ]
    return Evidence(runs, None, replace(SETTINGS, student_layers=layers))


def rising(seeds):
    """The best epoch is the eighth, better for each seed."""
    return [history(seed / 10) for seed in range(seeds)]


def test_peak_before_the_output_loss(tmp_path):
    """Both output epochs at 0.6; the two before them at 0.6 and 0.7, 0.8, 0.9."""
    one = convergence.peaks_before_output("exp3.3", converging(tmp_path, rising(3)), "cola")
    assert one.judgement.value == pytest.approx((0.05 + 0.1 + 0.15) / 3)
    half = 4.302653 * 0.05 / np.sqrt(3)
    assert one.judgement.high - one.judgement.value == pytest.approx(half)
    assert one.judgement.verdict == "inconclusive"
    assert one.judgement.n == 3
    assert one.remark.startswith("seed 0: best epoch 8 of 10, last layer until 8")


def test_fewer_epochs_before_the_output_loss_than_after_it(tmp_path):
    schedule = [{"layer": i, "epoch": i, "reason": "limit", "cosine": 0.1} for i in (1, 2, 3, 4)]
    evidence = converging(tmp_path, rising(1), schedule=schedule)
    one = convergence.peaks_before_output("exp3.3", evidence, "cola")
    before, after = [0, 0.01, -0.01, 0], [0.4, 0.5, 0.6, 0.7, 0.6, 0.6]
    assert one.judgement.value == pytest.approx(np.mean(before) - np.mean(after))


def test_early_epochs(tmp_path):
    evidence = converging(tmp_path, rising(3))  # two of four layers, four epochs
    early = convergence.starts_at_chance("exp3.3", evidence, "cola")
    assert early.judgement.value == pytest.approx(0, abs=1e-12)
    rise = convergence.rises_with_upper_layers("exp3.3", evidence, "cola")
    assert rise.judgement.value == pytest.approx(0.55 + 0.1 / 4)
    assert rise.judgement.verdict == "holds"


def test_a_rise_in_the_output_epochs_alone_is_not_attributed_to_the_layers(tmp_path):
    scores = np.array([0, 0.01, -0.01, 0, 0, 0.01, -0.01, 0, 0.5, 0.5])
    first = np.arange(10) == 0
    histories = [
        pd.DataFrame({"epoch": np.arange(1, 11), "validation_mcc": scores + first * start})
        for start in (0, 0.001, 0.002)
    ]
    evidence = converging(tmp_path, histories)
    rise = convergence.rises_with_upper_layers("exp3.3", evidence, "cola")
    assert rise.judgement.value == pytest.approx(-0.001 / 4)
    assert rise.judgement.verdict == "does not hold"


@pytest.mark.parametrize("seeds", [1, 2])
def test_early_epochs_of_few_seeds_give_a_hint(tmp_path, seeds):
    evidence = converging(tmp_path, rising(seeds))
    rise = convergence.rises_with_upper_layers("exp3.3", evidence, "cola")
    assert rise.judgement.verdict == "hint"
    assert rise.remark.startswith("for the claim, a hint only: ")
    assert np.isnan(rise.judgement.low) == (seeds == 1)


def test_seeds_that_agree_give_a_hint(tmp_path):
    evidence = converging(tmp_path, [history()] * 3)
    one = convergence.peaks_before_output("exp3.3", evidence, "cola")
    assert one.judgement.value == pytest.approx(0.05)
    assert one.judgement.verdict == "hint"
    assert "nothing varies" in one.remark


@pytest.mark.parametrize(
    "check", [convergence.starts_at_chance, convergence.rises_with_upper_layers]
)
def test_a_student_of_one_layer_has_no_lower_layers(tmp_path, check):
    evidence = converging(tmp_path, rising(1), SCHEDULE[:1], layers=1)
    with pytest.raises(NoData, match="one layer has no lower layers"):
        check("exp3.3", evidence, "cola")


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (SCHEDULE[:2], "layer 4 was never finished for seed 0"),
        ([*SCHEDULE[:3], SCHEDULE[3] | {"epoch": 10}], "no epochs on either side"),
    ],
)
def test_schedules_without_an_end(tmp_path, schedule, message):
    evidence = converging(tmp_path, rising(1), schedule=schedule)
    with pytest.raises(NoData, match=message):
        convergence.peaks_before_output("exp3.3", evidence, "cola")


def test_history_without_the_score_has_no_data(tmp_path):
    run = write_fake_run(
        tmp_path,
        "rte",
        "exp3.3",
        layers=4,
        validation=right(12),
        history=history(),
        schedule=SCHEDULE,
    )
    with pytest.raises(NoData, match="no validation_accuracy in the history"):
        convergence.peaks_before_output("exp3.3", Evidence([run], None, RTE), "rte")
