"""A study of made-up runs in which the paper's claims hold, and ways to omit parts."""

import numpy as np
import pandas as pd

from internal_kd.evaluation.attention_distances import LayerDistances, write_distances
from internal_kd.specs.reports import PaperRow
from internal_kd.specs.runs import Run
from internal_kd.specs.tables import ClaimsSettings, LayerSweep, SizeSweep
from internal_kd.study.glue import GLUE
from tests.reporting.fake_runs import frame_of, noisy_logits, write_fake_run

N = 600
LABELS = np.arange(N) % 2


def settings_row(name, head="random", baseline="exp2.0", paper_row=None):
    """A row of the settings, which stands for a row of the paper."""
    return PaperRow(name, "", head, baseline, paper_row)


ROWS = (
    settings_row("exp1.0", None, None, "exp1.0"),
    *(settings_row(name, paper_row=name) for name in ("exp1.1", "exp2.0", "exp3.0", "exp3.2")),
    settings_row("exp2.0t", "teacher", "exp2.0t"),
    settings_row("exp3.3", "teacher", "exp2.0t", "exp3.3"),
)
SETTINGS = ClaimsSettings(
    task_specs=GLUE,
    study="small",
    note="Not the paper's numbers.",
    tasks=("cola",),
    rows=ROWS,
    standard="exp2.0",
    internal="exp3.2",
    sweep_layers=LayerSweep(("cola",), (1, 2, 4)),
    sweep_sizes=SizeSweep(("cola",), (25, 50, 100)),
    student_layers=4,
    confidence=0.95,
    resamples=400,
    seed=0,
    margin=0.05,
)
ACCURACY = {"exp1.1": 0.7, "exp2.0": 0.8, "exp3.0": 0.9, "exp3.2": 0.9}
ACCURACY |= {"exp2.0t": 0.81, "exp3.3": 0.89}
LAYERS = {"exp2.0": {1: 0.6, 2: 0.65}, "exp3.2": {1: 0.6, 2: 0.85}}
PERCENTS = {"exp2.0": {25: 0.6, 50: 0.7}, "exp3.2": {25: 0.88, 50: 0.89}}
SCHEDULE = [{"layer": i, "epoch": 2 * i, "reason": "limit", "cosine": 0.1} for i in (1, 2, 3, 4)]


def predictions(accuracy, seed):
    """Predictions whose mistakes are partly those of a common teacher."""
    return frame_of(LABELS, noisy_logits(LABELS, accuracy, seed))


def history(shift=0.0):
    """Ten epochs: chance up to epoch 4, the best in epoch 8, the last two a bit lower."""
    scores = np.array([0, 0.01, -0.01, 0, 0.4, 0.5, 0.6, 0.7 + shift, 0.6, 0.6])
    return pd.DataFrame({"epoch": np.arange(1, 11), "validation_mcc": scores})


def write_study(
    path, seeds=(0, 1, 2), teacher_seeds=(0,), task="cola", accuracy=None, tested=False
):
    """Folders of all runs of Table 1 and both sweeps."""
    accuracy = ACCURACY | (accuracy or {})
    whole = {"layers": 800, "total": 2000, "embeddings": 1100, "pooler": 90, "classifier": 10}
    runs = [
        write_fake_run(
            path,
            task,
            "exp1.0",
            seed=seed,
            layers=8,
            validation=predictions(0.95, 900 + seed),
            parameters=whole,
        )
        for seed in teacher_seeds
    ]
    sizes = [(name, 4, 100, value) for name, value in accuracy.items()]
    sizes += [(name, n, 100, v) for name, found in LAYERS.items() for n, v in found.items()]
    sizes += [(name, 4, p, v) for name, found in PERCENTS.items() for p, v in found.items()]
    runs += [
        write_fake_run(
            path,
            task,
            name,
            seed=seed,
            layers=layers,
            percent=percent,
            validation=predictions(value, 10 * number + seed),
            test=predictions(value, 500 + 10 * number + seed) if tested else None,
            history=history(seed / 100),
            schedule=SCHEDULE,
        )
        for number, (name, layers, percent, value) in enumerate(sizes)
        for seed in seeds
    ]
    return runs


def distances_file(path, name, kl, seed=0, n=50):
    """Distances of a student of four layers, around `kl`."""
    values = kl * np.random.default_rng(seed).uniform(0.5, 1.5, (n, 4))
    found = LayerDistances(np.arange(n), (2, 4, 6, 8), values.astype(np.float32), values)
    write_distances(path, Run("cola", name, layers=4, percent=100, seed=seed), found)
    return path


def verdicts(frame):
    """Verdicts by claim, of a frame of one task."""
    return dict(zip(frame["claim"], frame["verdict"], strict=True))
