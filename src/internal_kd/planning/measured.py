"""How long the finished jobs of a study took."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from internal_kd.errors import UserError
from internal_kd.planning.jobs import TRAINING
from internal_kd.reporting.timings import SECONDS, read_benchmarks
from internal_kd.specs.jobs import TrainingJob
from internal_kd.specs.runs import Run
from internal_kd.specs.students import decode_either


@dataclass(frozen=True)
class FinishedRun:
    """A run that is there.

    Attributes:
        run: which one.
        job: what was trained.
        seconds: from the start of its job to the end, in one go or in several.
    """

    run: Run
    job: TrainingJob
    seconds: float


def finished_runs(results: Path) -> list[FinishedRun]:
    """All runs in a folder of results but those in part, broken, or of another version."""
    return [
        run for file in sorted(results.glob("runs/**/metrics.json")) for run in _read(file, results)
    ]


def _read(file: Path, results: Path) -> Iterator[FinishedRun]:
    try:
        metrics = json.loads(file.read_text(encoding="utf-8"))
        run, job = Run(**metrics["run"]), decode_either(metrics["settings"])
        trained = _training_seconds(file.with_name("history.csv"))
        whole = _benchmark_seconds(results, run) or float(metrics["seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    # Of a run that was interrupted, the job's time is that of its last part.
    yield FinishedRun(run, job, max(whole, trained))


def _training_seconds(history: Path) -> float:
    with open(history, encoding="utf-8", newline="") as file:
        return sum(
            float(row["train_seconds"]) + float(row["evaluation_seconds"])
            for row in csv.DictReader(file)
        )


def _benchmark_seconds(results: Path, run: Run) -> float | None:
    for rule in TRAINING:
        file = results / "benchmarks" / rule / f"{run.name}.tsv"
        if file.is_file():
            with open(file, encoding="utf-8", newline="") as lines:
                return float(next(csv.DictReader(lines, delimiter="\t"))[SECONDS])
    return None


def seconds_by_rule(results: Path) -> dict[str, float]:
    """Mean seconds of the finished jobs of each rule."""
    try:
        jobs: pd.DataFrame = read_benchmarks(results / "benchmarks")
    except UserError:
        return {}
    return {str(rule): float(mean) for rule, mean in jobs.groupby("rule")[SECONDS].mean().items()}
