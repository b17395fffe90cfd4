"""Statistics of single claims, by hand."""

import numpy as np
import pandas as pd
import pytest

from internal_kd.reporting.claims import (
    agreement,
    attention,
    compression,
    convergence,
    data_size,
    scores,
)
from internal_kd.reporting.claims.evidence import Evidence, NoData
from internal_kd.reporting.runs import read_run_folders
from tests.reporting.claims.study import SCHEDULE, SETTINGS, history
from tests.reporting.fake_runs import frame_of, logits_for, write_fake_run

RTE = SETTINGS | {"tasks": ["rte"]}
RTE |= {"sweep_layers": {"tasks": ["rte"], "counts": [1, 2, 4]}}
RTE |= {"sweep_sizes": {"tasks": ["rte"], "percents": [25, 50, 100]}}
LABELS = np.arange(20) % 2


def right(first, of=20):
    """Answers of which the first ones are right."""
    return frame_of(LABELS[:of], logits_for(np.where(np.arange(of) < first, LABELS, 1 - LABELS)))


def evidence_of(path, *runs, distances=None, **settings):
    """Evidence from (experiment, layers, percent, right answers); the teacher has 8 layers."""
    made = [
        write_fake_run(path, "rte", name, layers=n, percent=percent, validation=right(answers))
        for name, n, percent, answers in runs
    ]
    return Evidence(made, distances, RTE | settings)


def test_internal_minus_standard(tmp_path):
    found = evidence_of(tmp_path, ("exp2.0", 4, 100, 12), ("exp3.2", 4, 100, 15))
    one = scores.internal_beats_standard(found, "rte")
    assert one.estimate.value == pytest.approx(0.15)
    assert one.estimate.n == 20


def test_every_internal_takes_the_smallest(tmp_path):
    found = evidence_of(
        tmp_path, ("exp2.0", 4, 100, 12), ("exp3.2", 4, 100, 15), ("exp3.0", 4, 100, 11)
    )
    one = scores.every_internal_beats_standard(found, "rte")
    assert one.estimate.value == pytest.approx(-0.05)
    assert one.remark == "over exp3.0, exp3.2; smallest for exp3.0"
    assert scores.all_significant(found, "rte").estimate.value == pytest.approx(-0.05)


def test_teacher_against_all_students(tmp_path):
    runs = [("exp1.0", 8, 100, 14), ("exp1.1", 4, 100, 10), ("exp3.2", 4, 100, 15)]
    one = scores.teacher_beats_students(evidence_of(tmp_path, *runs), "rte")
    assert one.estimate.value == pytest.approx(-0.05)
    assert "smallest for exp3.2" in one.remark


@pytest.mark.parametrize(("layers", "verdict"), [(400, "holds"), (150, None)])
def test_near_teacher_needs_half_its_parameters(tmp_path, layers, verdict):
    for name, n, parameters in (("exp1.0", 8, 800), ("exp3.2", 4, layers)):
        write_fake_run(
            tmp_path,
            "rte",
            name,
            layers=n,
            validation=right(15),
            parameters={"layers": parameters},
        )
    runs = read_run_folders(sorted(tmp_path.glob("runs/*/*/*/*/*")))
    if verdict is None:
        with pytest.raises(NoData, match="19% of the teacher's layer parameters, not half"):
            compression.near_teacher_at_half(Evidence(runs, None, RTE), "rte")
    else:
        one = compression.near_teacher_at_half(Evidence(runs, None, RTE), "rte")
        assert (one.estimate.value, one.verdict) == (0, verdict)


def test_layer_sweep(tmp_path):
    found = evidence_of(
        tmp_path,
        *[("exp2.0", 4, 100, 16), ("exp2.0", 2, 100, 10), ("exp2.0", 1, 100, 8)],
        *[("exp3.2", 4, 100, 18), ("exp3.2", 2, 100, 15), ("exp3.2", 1, 100, 8)],
    )
    fall = compression.scores_fall_with_layers(found, "rte").estimate.value
    assert fall == pytest.approx(0.4)
    mean = compression.higher_with_fewer_layers(found, "rte").estimate.value
    assert mean == pytest.approx((0.1 + 0.25) / 2)
    assert compression.slower_decay(found, "rte").estimate.value == pytest.approx(0.15)
    one_layer = compression.no_boost_at_one_layer(found, "rte")
    assert (one_layer.estimate.value, one_layer.verdict) == (0, "holds")


def test_size_sweep(tmp_path):
    found = evidence_of(
        tmp_path,
        *[("exp2.0", 4, 100, 16), ("exp2.0", 4, 50, 13), ("exp2.0", 4, 25, 10)],
        *[("exp3.2", 4, 100, 16), ("exp3.2", 4, 50, 15), ("exp3.2", 4, 25, 14)],
    )
    growth = data_size.gap_grows(found, "rte").estimate
    assert growth.value == pytest.approx(0.1)  # gaps 0, 0.1, 0.2: by 0.1 per halving
    every = data_size.higher_at_every_size(found, "rte")
    assert every.estimate.value == 0
    assert every.remark.endswith("smallest at 100 %")
    assert data_size.small_gap_with_all_data(found, "rte").verdict == "holds"


def test_agreement_as_in_table_3(tmp_path):
    runs = [("exp1.0", 8, 100, 16), ("exp2.0", 4, 100, 12), ("exp3.2", 4, 100, 18)]
    found = evidence_of(tmp_path, *runs)
    right_too = agreement.right_or_wrong_with_teacher(True, found, "rte")
    assert right_too.estimate.value == pytest.approx(16 / 16 - 12 / 16)
    assert right_too.estimate.n == 16
    wrong_too = agreement.right_or_wrong_with_teacher(False, found, "rte")
    assert wrong_too.estimate.value == pytest.approx(2 / 4 - 4 / 4)
    assert agreement.agrees_with_teacher(found, "rte").estimate.value == pytest.approx(0.1)


def test_over_confidence(tmp_path):
    for name, margin, answers in (("exp2.0", 4.0, 12), ("exp3.2", 0.0, 12)):
        logits = right(answers).logits / 2 * margin
        write_fake_run(tmp_path, "rte", name, layers=4, validation=frame_of(LABELS, logits))
    runs = read_run_folders(sorted(tmp_path.glob("runs/*/*/*/*/*")))
    one = agreement.more_over_confident(Evidence(runs, None, RTE), "rte")
    sure = 1 / (1 + np.exp(-4.0))
    assert one.estimate.value == pytest.approx((sure - 12 / 20) - (0.5 - 10 / 20), abs=1e-6)
    assert one.verdict == "holds"


@pytest.mark.parametrize(
    ("answers", "margins", "smaller", "verdict"),
    [
        ((19, 20), (0.4, 0.1), "standard KD", "does not hold"),
        ((12, 12), (3.0, 4.0), "its lead over internal KD", "does not hold"),
    ],
    ids=["both not sure enough", "internal KD is surer"],
)
def test_over_confidence_needs_both(tmp_path, answers, margins, smaller, verdict):
    for name, margin, n in zip(("exp2.0", "exp3.2"), margins, answers, strict=True):
        logits = right(n).logits / 2 * margin
        write_fake_run(tmp_path, "rte", name, layers=4, validation=frame_of(LABELS, logits))
    runs = read_run_folders(sorted(tmp_path.glob("runs/*/*/*/*/*")))
    one = agreement.more_over_confident(Evidence(runs, None, RTE), "rte")
    sure = [1 / (1 + np.exp(-margin)) - n / 20 for margin, n in zip(margins, answers, strict=True)]
    assert one.estimate.value == pytest.approx(min(sure[0], sure[0] - sure[1]), abs=1e-6)
    assert one.remark.startswith(f"smaller: {smaller}")
    assert one.verdict == verdict


def test_ratio_of_divergences():
    rows = [
        ("rte", name, 4, 100, seed, index, layer, kl * layer)
        for name, kl in (("exp2.0", 2.0), ("exp3.2", 0.5))
        for seed in (0, 1)
        for index in range(5)
        for layer in (1, 2)
    ]
    columns = ["task", "experiment", "layers", "percent", "seed", "index", "layer", "attention_kl"]
    one = attention.closer_attention(Evidence([], pd.DataFrame(rows, columns=columns), RTE), "rte")
    assert one.estimate.value == pytest.approx(4)
    assert one.remark.startswith("standard 3.000, internal 0.750 nats")
    assert (one.estimate.n, one.estimate.seeds) == (5, 2)


def test_distances_of_other_sizes_do_not_count():
    columns = ["task", "experiment", "layers", "percent", "seed", "index", "attention_kl"]
    frame = pd.DataFrame([("rte", "exp2.0", 2, 100, 0, 0, 1.0)], columns=columns)
    with pytest.raises(NoData, match=r"no distances of exp2\.0"):
        attention.closer_attention(Evidence([], frame, RTE), "rte")


def converging(path, seeds, **more):
    runs = [
        write_fake_run(
            path,
            "cola",
            "exp3.3",
            seed=seed,
            layers=4,
            validation=right(12),
            history=history(seed / 10),
            **{"schedule": SCHEDULE} | more,
        )
        for seed in seeds
    ]
    return Evidence(runs, None, SETTINGS)


def test_peak_before_the_output_loss(tmp_path):
    one = convergence.peaks_before_output("exp3.3", converging(tmp_path, (0, 1)), "cola")
    assert one.estimate.value == pytest.approx((0.1 + 0.2) / 2)
    assert one.estimate.high - one.estimate.value == pytest.approx(12.7062 * 0.05, rel=1e-4)
    assert one.verdict == "inconclusive"


def test_early_epochs(tmp_path):
    evidence = converging(tmp_path, (0, 1))  # two of four layers, four epochs
    early = convergence.starts_at_chance("exp3.3", evidence, "cola")
    assert early.estimate.value == pytest.approx(0, abs=1e-12)
    assert early.verdict == "holds"
    rise = convergence.rises_with_upper_layers("exp3.3", evidence, "cola")
    assert rise.estimate.value == pytest.approx(0.75)


def test_early_epochs_of_one_seed_give_no_verdict(tmp_path):
    early = convergence.starts_at_chance("exp3.3", converging(tmp_path, (0,)), "cola")
    assert early.verdict == "no data"
    assert early.remark.startswith("no data: an interval over seeds needs two")


def test_seeds_that_agree_are_told(tmp_path):
    same = {"history": history()}
    runs = [
        write_fake_run(
            tmp_path,
            "cola",
            "exp3.3",
            seed=s,
            layers=4,
            validation=right(12),
            schedule=SCHEDULE,
            **same,
        )
        for s in (0, 1)
    ]
    one = convergence.peaks_before_output("exp3.3", Evidence(runs, None, SETTINGS), "cola")
    assert (one.estimate.low, one.estimate.high) == (pytest.approx(0.1), pytest.approx(0.1))
    assert one.verdict == "holds"
    assert one.remark.endswith("all seeds alike: the interval has no width")


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (SCHEDULE[:2], "layer 4 was never finished for seed 0"),
        ([*SCHEDULE[:3], {"layer": 4, "epoch": 10}], "no epochs on either side"),
    ],
)
def test_schedules_without_an_end(tmp_path, schedule, message):
    evidence = converging(tmp_path, (0,), schedule=schedule)
    with pytest.raises(NoData, match=message):
        convergence.peaks_before_output("exp3.3", evidence, "cola")


def test_history_without_the_score_is_told(tmp_path):
    run = write_fake_run(
        tmp_path, "rte", "exp3.3", layers=4, validation=right(12), history=history()
    )
    with pytest.raises(NoData, match="no validation_accuracy in the history"):
        convergence.peaks_before_output("exp3.3", Evidence([run], None, RTE), "rte")
