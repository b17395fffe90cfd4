"""Runs on RTE with twenty examples, of which a given number is answered right."""

from dataclasses import replace

import numpy as np

from internal_kd.reporting.claims.evidence import Evidence
from internal_kd.reporting.runs import read_run_folders
from internal_kd.specs.tables import LayerSweep, SizeSweep
from internal_kd.study.glue import GLUE
from tests.reporting.claims.study import SETTINGS
from tests.reporting.fake_runs import frame_of, logits_for, write_fake_run

LABELS = np.arange(20) % 2
RTE = replace(
    SETTINGS,
    tasks=("rte",),
    sweep_layers=LayerSweep(("rte",), (1, 2, 4)),
    sweep_sizes=SizeSweep(("rte",), (25, 50, 100)),
)


def right(first):
    """Answers of which the first ones are right."""
    guesses = np.where(np.arange(len(LABELS)) < first, LABELS, 1 - LABELS)
    return frame_of(LABELS, logits_for(guesses))


def read_all(path):
    """All runs below a folder."""
    return read_run_folders(sorted(path.glob("runs/*/*/*/*/*")), GLUE)


def evidence_of(path, *runs, **settings):
    """Evidence from (experiment, layers, percent, right answers); the teacher has 8 layers."""
    made = [
        write_fake_run(path, "rte", name, layers=n, percent=percent, validation=right(answers))
        for name, n, percent, answers in runs
    ]
    return Evidence(made, None, replace(RTE, **settings))
