"""Predictions of several runs on the same development examples."""

from collections.abc import Sequence

import numpy as np

from internal_kd.errors import UserError
from internal_kd.evaluation.predictions import SplitPredictions
from internal_kd.reporting.runs import RunFolder


def development_predictions(runs: Sequence[RunFolder]) -> list[SplitPredictions]:
    """The development predictions of each run, all on the same examples in the same order.

    Raises:
        UserError: a run has none, or its examples or their labels differ from the first run's.
    """
    found = [_development(run) for run in runs]
    for run, frame in zip(runs, found, strict=True):
        same = np.array_equal(frame.indices, found[0].indices)
        if not same or not np.array_equal(frame.labels, found[0].labels):
            raise UserError(
                f"{run.folder}: its development examples are not those of {runs[0].folder}; "
                "make the runs again with the same data"
            )
    return found


def _development(run: RunFolder) -> SplitPredictions:
    found = run.predictions().get("validation")
    if found is None:
        raise UserError(f"{run.folder}: no predictions on the development set; make the run again")
    return found
