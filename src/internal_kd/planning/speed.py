"""How long work takes: on a device of the config, corrected by the jobs that are finished."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import nnls

from internal_kd.errors import UserError
from internal_kd.planning.work import Work
from internal_kd.planning.workflow import TRAINING
from internal_kd.reporting.timings import SECONDS, read_benchmarks
from internal_kd.specs.jobs import TrainingJob
from internal_kd.specs.machines import PlanSettings
from internal_kd.specs.runs import Run
from internal_kd.specs.students import decode_either

# A batch that only goes forward takes a third of a step's fixed time.
PASS = 1 / 3
# What the device's word weighs beside one finished run.
TRUST = 0.01


@dataclass(frozen=True)
class Speed:
    """A job takes a start, a fixed time for each step, and the time of its operations.

    Attributes:
        start: seconds until a job computes, and after.
        step: seconds of a step beside its operations: launching them, the optimizer.
        flops: operations per second, by precision.
    """

    start: float
    step: float
    flops: Mapping[str, float]

    def parts(self, work: Work, precision: str) -> npt.NDArray[np.float64]:
        """Seconds of start, steps and operations: float64 [3]."""
        steps = work.steps + PASS * work.passes
        return np.array([self.start, self.step * steps, work.flops / self.flops[precision]])

    def seconds(self, work: Work, precision: str = "fp32") -> float:
        """Seconds of a job."""
        return float(self.parts(work, precision).sum())


@dataclass(frozen=True)
class Timed:
    """Work that has been done, the precision it was done in, and how many seconds it took."""

    work: Work
    precision: str
    seconds: float


def device_speed(plan: PlanSettings) -> Speed:
    """Speed of the config's device, overridden by values in the config.

    Args:
        plan: section of the config.
    """
    device, own = plan.devices[plan.device], plan.flops_per_second
    flops = {"fp32": own or device.fp32_flops, "bf16": own or device.bf16_flops}
    step_ms = device.step_ms if plan.step_ms is None else plan.step_ms
    return Speed(device.start_seconds, step_ms / 1000, flops)


def is_given(plan: PlanSettings) -> bool:
    """Whether the config sets a speed, which takes precedence over measurements."""
    return plan.flops_per_second is not None or plan.step_ms is not None


def corrected(speed: Speed, runs: Sequence[Timed]) -> Speed:
    """The speed that explains the runs best, near to one multiple of `speed` where data are few.

    Start, step and operations get a factor each, by least squares of the relative errors; the runs
    of one task alone could not separate them.
    """
    if not runs:
        return speed
    parts = np.stack([speed.parts(run.work, run.precision) for run in runs])
    seconds = np.array([run.seconds for run in runs])
    overall = np.exp(np.mean(np.log(seconds / parts.sum(axis=1))))
    shares = np.concatenate([parts / seconds[:, None], np.sqrt(TRUST) * np.eye(3)])
    targets = np.concatenate([np.ones(len(runs)), np.full(3, np.sqrt(TRUST) * overall)])
    start, step, flops = nnls(shares, targets)[0]
    rates = {name: rate / max(flops, 1e-9) for name, rate in speed.flops.items()}
    return Speed(speed.start * start, speed.step * step, rates)


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
