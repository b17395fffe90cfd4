"""How far a study is: its runs by task and experiment, the time left, and how it is shown."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from internal_kd.distillation.progress import (
    TrainingProgress,
    identity_of,
    progress_file,
    read_progress,
)
from internal_kd.errors import printable
from internal_kd.planning.costs import Costs
from internal_kd.planning.wording import aligned, duration
from internal_kd.planning.workflow import Job, run_files
from internal_kd.specs.agnostic import AgnosticRun
from internal_kd.specs.jobs import encode
from internal_kd.specs.runs import Run

State = Literal["done", "running", "stopped", "failed", "to do"]
TEXT = "unlabelled text"
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
    def run(self) -> Run | AgnosticRun:
        """Which run or general student it is."""
        return self.job.training

    @property
    def place(self) -> tuple[str, str]:
        """Task and experiment; of a general student, the text and its name."""
        run = self.run
        return (TEXT, run.model) if isinstance(run, AgnosticRun) else (run.task, run.experiment)


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
    run = job.training
    key = run.code_key if isinstance(run, AgnosticRun) else run.experiment
    return identity_of(encode(costs.training_job(run)), code[key])


@dataclass(frozen=True)
class Progress:
    """How far a study is.

    Attributes:
        study: its name.
        runs: all trainings.
        others: the other jobs.
        seconds_left: of all jobs one after the other.
        basis: where that comes from.
    """

    study: str
    runs: Sequence[RunState]
    others: Sequence[Job]
    seconds_left: float
    basis: str

    def of(self, state: State) -> list[RunState]:
        """The runs in a state."""
        return [run for run in self.runs if run.state == state]

    def table(self) -> list[tuple[str, str, Counter[str]]]:
        """Task, experiment, and number of runs by state."""
        counts: dict[tuple[str, str], Counter[str]] = {}
        for state in self.runs:
            counts.setdefault(state.place, Counter()).update([state.state])
        return [(*key, counts[key]) for key in sorted(counts)]

    @property
    def at_a_time(self) -> int:
        """Runs that are at work now, or one."""
        return max(1, len(self.of("running")))


def make_progress(jobs: Iterable[Job], costs: Costs, code: Mapping[str, str]) -> Progress:
    """How far the jobs of a study are.

    Args:
        jobs: of the study.
        costs: of the study.
        code: fingerprint of the code of an experiment's runs, by the experiment's name.
    """
    jobs = list(jobs)
    runs = run_states(jobs, costs, code)
    others = [job for job in jobs if not job.trains]
    left = sum(_seconds_left(run, costs) for run in runs if run.state != "done")
    left += sum(costs.of(job).seconds for job in others if not job.finished)
    return Progress(costs.study.name, runs, others, left, costs.basis())


def _seconds_left(run: RunState, costs: Costs) -> float:
    """A run's own estimate while it is running, and otherwise what the rest of it costs."""
    progress = run.progress
    if run.state == "running" and progress and progress.seconds_left is not None:
        return progress.seconds_left
    done = progress.share if progress and run.state in ("running", "stopped") else 0.0
    return costs.of(run.job).seconds * (1 - done)


ABSENT = "."


def progress_text(progress: Progress) -> str:
    """Table, what is at work, what failed, and the time that is left."""
    parts = [_table(progress), *_lists(progress), summary(progress)]
    return "\n\n".join(parts)


def progress_json(progress: Progress) -> str:
    """Progress for programs: every training with its state, and the time that is left."""
    content = {
        "study": progress.study,
        "runs": [_run_facts(run) for run in progress.runs],
        "other_jobs": len(progress.others),
        "other_jobs_finished": sum(job.finished for job in progress.others),
        "seconds_left": progress.seconds_left,
        "at_a_time": progress.at_a_time,
        "basis": progress.basis,
    }
    return json.dumps(content, indent=1)


def _run_facts(run: RunState) -> dict[str, object]:
    attempt = None if run.progress is None else asdict(run.progress)
    return {**asdict(run.run), "state": run.state, "log": str(run.log), "attempt": attempt}


def _table(progress: Progress) -> str:
    table = progress.table()
    total: Counter[str] = sum((counts for _, _, counts in table), Counter())
    rows = [[task, experiment, *_cells(counts)] for task, experiment, counts in table]
    head = ["task", "experiment", *STATES]
    return aligned([head, *rows, ["all", "", *_cells(total)]], left=2)


def _cells(counts: Counter[str]) -> list[str]:
    return [str(counts[state]) if counts[state] else ABSENT for state in STATES]


def _lists(progress: Progress) -> Iterator[str]:
    for state, describe in (("running", _how_far), ("stopped", _how_far), ("failed", _why)):
        runs = [run for run in progress.runs if run.state == state]
        if runs:
            lines = [f"  {run.run.title}: {describe(run)}" for run in runs]
            yield "\n".join([f"{state}:", *lines])


def _how_far(run: RunState) -> str:
    found = run.progress
    if found is None or not found.steps:
        return "training has not started"
    position, what = f"step {found.step} of {found.steps}", "evaluation"
    if isinstance(run.run, Run):
        position, what = f"epoch {found.epoch} of {found.epochs}, {position}", "epoch"
    if found.loss is None:
        return position
    return (
        f"{position}; last {what}: loss {found.loss:.4f}, {found.score_name} {found.score:.4f}, "
        f"{found.epoch_seconds} s"
    )


def _why(run: RunState) -> str:
    return f"{printable(run.progress.reason) if run.progress else ''} ({run.log})"


def summary(progress: Progress) -> str:
    """How much is done, and how long the rest takes."""
    done = f"{len(progress.of('done'))} of {len(progress.runs)} runs"
    finished = sum(job.finished for job in progress.others)
    jobs = f"{done} and {finished} of {len(progress.others)} other jobs of {progress.study} done"
    if not progress.seconds_left:
        return jobs
    times = progress.at_a_time
    left = duration(progress.seconds_left / times)
    return f"{jobs}; about {left} left with {times} at a time ({progress.basis})"
