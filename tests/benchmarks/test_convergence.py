"""Changes of scores with more epochs, from folders as runs write them."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.convergence import COLUMNS, build, summary
from internal_kd.evaluation.inference import paired_means
from tests.reporting.fake_runs import frame_of, noisy_logits, write_fake_run

LABELS = np.random.default_rng(0).integers(0, 2, 500)


def runs_of(folder, accuracy, epochs):
    history = pd.DataFrame({"epoch": range(1, epochs + 1), "validation_accuracy": accuracy})
    frames = {
        seed: frame_of(LABELS, noisy_logits(LABELS, accuracy, 100 * epochs + seed))
        for seed in range(3)
    }
    return [
        write_fake_run(folder, "rte", "exp2.0", seed=seed, validation=frame, history=history)
        for seed, frame in frames.items()
    ]


def right(runs):
    found = [run.predictions()["validation"].predictions for run in runs]
    return (np.stack(found) == LABELS).astype(float)


@pytest.mark.parametrize(("accuracy", "converged"), [(0.7, True), (0.9, False)])
def test_a_row_changes_by_more_than_chance_or_not(tmp_path, accuracy, converged):
    before, after = runs_of(tmp_path / "a", 0.7, 4), runs_of(tmp_path / "b", accuracy, 6)
    (row,) = build(before, after).to_dict("records")
    assert list(row) == COLUMNS
    expected = paired_means(right(after), right(before))
    assert row["change"] == pytest.approx(expected.value)
    assert row["error"] == pytest.approx(expected.error)
    assert (row["epochs"], row["longer_epochs"], row["seeds"]) == (4, 6, 3)
    assert row["converged"] == converged
    assert ("*" in summary(build(before, after))) != converged
