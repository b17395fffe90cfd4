"""The table of readings: paired differences from the experiment that each is a reading of."""

import numpy as np
import pandas as pd
import pytest

from internal_kd.evaluation.inference import paired_means
from internal_kd.reporting.readings import ReadingRow, build, write_readings
from internal_kd.reporting.records import columns_of
from internal_kd.specs.tables import Reading, ReadingsSettings
from internal_kd.study.glue import GLUE
from tests.reporting.fake_runs import frame_of, noisy_logits, write_fake_run

LABELS = np.random.default_rng(0).integers(0, 2, 400)
ACCURACY = {"exp3.4": 0.9, "exp3.4-same": 0.9, "exp3.4-worse": 0.6}


def runs_of(folder, seeds):
    return [
        write_fake_run(
            folder,
            "rte",
            name,
            seed=seed,
            validation=frame_of(LABELS, noisy_logits(LABELS, accuracy, 10 * seed + number)),
        )
        for number, (name, accuracy) in enumerate(ACCURACY.items())
        for seed in seeds
    ]


def settings(*readings):
    return ReadingsSettings(
        task_specs=GLUE,
        study="tiny",
        note="A small study.",
        tasks=("rte",),
        readings=tuple(Reading(name, f"label of {name}", "exp3.4", "SID") for name in readings),
        confidence=0.95,
        resamples=200,
        seed=0,
    )


def page(folder, seeds) -> str:
    runs = runs_of(folder / "runs", seeds)
    options = settings("exp3.4-same", "exp3.4-worse")
    write_readings([run.folder for run in runs], options, folder / "readings.csv")
    return (folder / "readings.md").read_text()


def test_a_row_is_the_test_over_examples_and_seeds(tmp_path) -> None:
    runs = runs_of(tmp_path, (0, 1, 2))
    frame = build(runs, settings("exp3.4-same", "exp3.4-worse")).set_index("reading")
    assert [*frame.reset_index().columns] == columns_of(ReadingRow)
    right = {
        name: np.stack(
            [
                (run.predictions()["validation"].predictions == LABELS).astype(float)
                for run in runs
                if run.experiment == name
            ]
        )
        for name in ACCURACY
    }
    for name in ("exp3.4-same", "exp3.4-worse"):
        expected, row = paired_means(right[name], right["exp3.4"]), frame.loc[name]
        assert row["effect"] == pytest.approx(expected.value, abs=1e-6)
        assert row["p"] == pytest.approx(expected.p())
        assert (row["low"], row["high"]) == pytest.approx(expected.interval(0.95), abs=1e-6)
        assert row["score"] - row["reference"] == pytest.approx(row["effect"], abs=2e-6)
        assert row["detectable"] == pytest.approx(expected.detectable(0.95), abs=1e-6)
        assert (row["seeds"], row["n"]) == (3, 400)
    assert frame.loc["exp3.4-worse", "p_bh"] < 0.05 < frame.loc["exp3.4-same", "p_bh"]


def test_clear_differences_are_bold_from_three_seeds_on(tmp_path) -> None:
    text = page(tmp_path, (0, 1, 2))
    (worse,) = [line for line in text.splitlines() if "label of exp3.4-worse" in line]
    (same,) = [line for line in text.splitlines() if "label of exp3.4-same" in line]
    assert "**−" in worse
    assert "**" not in same
    assert "A small study." in text


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_fewer_seeds_give_hints(tmp_path, seeds) -> None:
    text = page(tmp_path, seeds)
    assert "every difference is a hint" in text
    assert not [line for line in text.splitlines() if line.startswith("|") and "**" in line]


def test_a_reading_without_runs_is_shown_as_missing(tmp_path) -> None:
    frame = build(runs_of(tmp_path, (0, 1, 2)), settings("exp3.4-new"))
    (row,) = frame.to_dict("records")
    assert (row["seeds"], row["n"]) == (0, 0)
    assert pd.isna(row["effect"])
