"""The scores that runs left in their metrics.json, as data frames."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from internal_kd.errors import UserError
from internal_kd.evaluation.inference import SEEDS_FOR_VERDICTS
from internal_kd.specs.records import FORMAT

Run = Mapping[str, Any]

SPLITS = ("validation", "test")
LAST_EPOCH = "last_epoch"  # development scores of the last epoch, beside those of the kept one
BY = ["experiment", "task", "split", "metric"]


def read_runs(paths: Iterable[str | Path]) -> list[Run]:
    """The contents of metrics.json files.

    Raises:
        UserError: a file is absent, not one of a run, or of a former version.
    """
    return [_read(Path(path)) for path in paths]


def _read(path: Path) -> Run:
    try:
        run: Run = json.loads(path.read_text(encoding="utf-8"))
        run["run"]["experiment"], run["validation"], run["majority"]  # what all tables need
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not the metrics of a run; make the run again") from error
    if run.get("format") != FORMAT:
        raise UserError(
            f"{path}: a run of another version of internal-kd, whose numbers are not comparable "
            "with new ones; remove the results folder and make the runs again"
        )
    return run


def scores(runs: Iterable[Run]) -> pd.DataFrame:
    """One row per run, split and metric: experiment, task, seed, split, metric, value (0 to 1).

    The split `last_epoch` has the development scores of the last epoch.
    """
    rows = [
        (run["run"]["experiment"], run["run"]["task"], run["run"]["seed"], split, metric, value)
        for run in runs
        for split in (*SPLITS, LAST_EPOCH)
        for metric, value in (run.get(split) or {}).items()
    ]
    return pd.DataFrame(rows, columns=["experiment", "task", "seed", "split", "metric", "value"])


def summary(values: pd.DataFrame) -> pd.DataFrame:
    """Mean, sample standard deviation and number of runs, by experiment, task, split and metric.

    Fewer than three runs have no standard deviation.
    """
    groups = values.groupby(BY, sort=False)["value"]
    found = groups.agg(mean="mean", std="std", n="count").reset_index()
    return found.assign(std=found["std"].where(found["n"] >= SEEDS_FOR_VERDICTS))


def majority(runs: Iterable[Run]) -> pd.DataFrame:
    """Scores of always answering the majority class: one row per task, split and metric."""
    rows = {
        (run["run"]["task"], split, metric): value
        for run in runs
        for split, found in run["majority"].items()
        for metric, value in (found or {}).items()
    }
    frame = pd.DataFrame(
        [(*key, value) for key, value in rows.items()],
        columns=["task", "split", "metric", "mean"],
    )
    return frame


def flags(runs: Iterable[Run]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Remarks of the runs of each (experiment, task) that has any."""
    found: dict[tuple[str, str], set[str]] = {}
    for run in runs:
        if run.get("flags"):
            key = (run["run"]["experiment"], run["run"]["task"])
            found.setdefault(key, set()).update(run["flags"])
    return {key: tuple(sorted(names)) for key, names in found.items()}
