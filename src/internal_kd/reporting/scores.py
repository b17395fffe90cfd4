"""The scores that runs left in their metrics.json, as data frames."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from internal_kd.errors import UserError
from internal_kd.evaluation.inference import SEEDS_FOR_VERDICTS
from internal_kd.specs.jobs import decode
from internal_kd.specs.records import FORMAT, Metrics

LAST_EPOCH = "last_epoch"  # development scores of the last epoch, beside those of the kept one
BY = ["experiment", "task", "split", "metric"]


@dataclass(frozen=True)
class _Named:
    """A run of any version."""

    experiment: str


@dataclass(frozen=True)
class _AnyMetrics:
    """What the metrics of every version have."""

    run: _Named
    validation: object
    majority: object
    format: object = None


def read_metrics(paths: Iterable[str | Path]) -> list[Metrics]:
    """The contents of metrics.json files.

    Raises:
        UserError: a file is absent, not one of a run, or of a former version.
    """
    return [_read(Path(path)) for path in paths]


def _read(path: Path) -> Metrics:
    with _as_metrics(path):
        content = json.loads(path.read_text(encoding="utf-8"))
        version = decode(content, _AnyMetrics).format
    if version != FORMAT:
        raise UserError(
            f"{path}: a run of another version of internal-kd, whose numbers are not comparable "
            "with new ones; remove the results folder and make the runs again"
        )
    with _as_metrics(path):
        return decode(content, Metrics)


@contextmanager
def _as_metrics(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not the metrics of a run; make the run again") from error


def scores(runs: Iterable[Metrics]) -> pd.DataFrame:
    """One row per run, split and metric: experiment, task, seed, split, metric, value (0 to 1).

    The split `last_epoch` has the development scores of the last epoch.
    """
    rows = [
        (each.run.experiment, each.run.task, each.run.seed, split, metric, value)
        for each in runs
        for split, found in each.scores.items()
        for metric, value in found.items()
    ]
    return pd.DataFrame(rows, columns=["experiment", "task", "seed", "split", "metric", "value"])


def summary(values: pd.DataFrame) -> pd.DataFrame:
    """Mean, sample standard deviation and number of runs, by experiment, task, split and metric.

    Fewer than three runs have no standard deviation.
    """
    groups = values.groupby(BY, sort=False)["value"]
    found = groups.agg(mean="mean", std="std", n="count").reset_index()
    return found.assign(std=found["std"].where(found["n"] >= SEEDS_FOR_VERDICTS))


def majority(runs: Iterable[Metrics]) -> pd.DataFrame:
    """Scores of always answering the majority class: one row per task, split and metric."""
    rows = {
        (each.run.task, split, metric): value
        for each in runs
        for split, found in each.majority.items()
        for metric, value in found.items()
    }
    frame = pd.DataFrame(
        [(*key, value) for key, value in rows.items()],
        columns=["task", "split", "metric", "mean"],
    )
    return frame


def flags(runs: Iterable[Metrics]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Remarks of the runs of each (experiment, task) that has any."""
    found: dict[tuple[str, str], set[str]] = {}
    for each in runs:
        if each.flags:
            found.setdefault((each.run.experiment, each.run.task), set()).update(each.flags)
    return {key: tuple(sorted(names)) for key, names in found.items()}
