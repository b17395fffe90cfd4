"""Predictions of several runs on the same labelled examples of a split."""

from collections.abc import Sequence

import numpy as np

from internal_kd.errors import UserError
from internal_kd.evaluation.predictions import SplitPredictions
from internal_kd.reporting.development import development_predictions
from internal_kd.reporting.runs import RunFolder


def labelled_predictions(runs: Sequence[RunFolder], split: str) -> list[SplitPredictions] | None:
    """The predictions of each run on a split, all on the same examples in the same order.

    None where the split's labels are hidden or a run has no predictions on it.

    Raises:
        UserError: examples or labels differ between runs, or the development set is missing.
    """
    if split == "validation":
        return development_predictions(runs)
    found = [run.predictions().get(split) for run in runs]
    known = [frame for frame in found if frame is not None and _labelled(frame)]
    if not known or len(known) < len(runs):
        return None
    for run, frame in zip(runs, known, strict=True):
        same = np.array_equal(frame.indices, known[0].indices)
        if not same or not np.array_equal(frame.labels, known[0].labels):
            raise UserError(
                f"{run.folder}: its {split} examples are not those of {runs[0].folder}; "
                "make the runs again with the same data"
            )
    return known


def _labelled(frame: SplitPredictions) -> bool:
    return len(frame.labels) > 0 and bool((frame.labels >= 0).all())
