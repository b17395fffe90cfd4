"""Which runs are done, running, stopped, failed or to do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from internal_kd.distillation.progress import (
    TrainingProgress,
    identity_of,
    progress_file,
    read_progress,
)
from internal_kd.planning.costs import Costs
from internal_kd.planning.jobs import Job, run_files
from internal_kd.specs.jobs import encode
from internal_kd.specs.runs import Run

State = Literal["done", "running", "stopped", "failed", "to do"]
STATES: tuple[State, ...] = ("done", "running", "stopped", "failed", "to do")


@dataclass(frozen=True)
class RunState:
    """A run and how far it is.

    Attributes:
        job: that makes it.
        state: done; running; stopped, without an error; failed; to do, for the first time or again.
        progress: what the last attempt wrote; None for a run that is done or to do.
        log: its log.
    """

    job: Job
    state: State
    progress: TrainingProgress | None
    log: Path

    @property
    def run(self) -> Run:
        """Which run it is."""
        assert self.job.run is not None
        return self.job.run


def run_states(jobs: Iterable[Job], costs: Costs, code: Mapping[str, str]) -> list[RunState]:
    """The state of every job that trains.

    Args:
        jobs: of a study.
        costs: of this study, which has the settings of its runs.
        code: fingerprint of the code of an experiment's runs, by the experiment's name.
    """
    return [_state(job, costs, code) for job in jobs if job.trains]


def _state(job: Job, costs: Costs, code: Mapping[str, str]) -> RunState:
    files = run_files(costs.results, job)
    progress = None if job.finished else read_progress(progress_file(files.checkpoints))
    # A file of an attempt with other settings or code does not describe the next one.
    if progress is None or not (
        progress.running or progress.identity == _identity(job, costs, code)
    ):
        return RunState(job, "done" if job.finished else "to do", None, files.log)
    return RunState(job, _state_of(progress), progress, files.log)


def _state_of(progress: TrainingProgress) -> State:
    if progress.state == "failed":
        return "failed"
    return "running" if progress.running else "stopped"


def _identity(job: Job, costs: Costs, code: Mapping[str, str]) -> str:
    """Identity in the progress file of an attempt with today's settings and code."""
    assert job.run is not None
    return identity_of(encode(costs.training_job(job.run)), code[job.run.experiment])
