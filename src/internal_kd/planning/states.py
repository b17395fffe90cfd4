"""Which runs are done, running, stopped, failed or to do."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from internal_kd.planning.jobs import Job, RunFiles, run_files
from internal_kd.planning.run_log import RunLog, read_run_log
from internal_kd.specs.runs import Run

State = Literal["done", "running", "stopped", "failed", "to do"]
STATES: tuple[State, ...] = ("done", "running", "stopped", "failed", "to do")

# A run on another machine is known by its log alone, which its progress bar keeps writing to.
SILENT_SECONDS = 600
PROC_LOCKS = Path("/proc/locks")


@dataclass(frozen=True)
class RunState:
    """A run and how far it is.

    Attributes:
        job: that makes it.
        state: done; running; stopped, without an error; failed; to do, for the first time or again.
        log: what its log tells of the last attempt.
        file: its log.
    """

    job: Job
    state: State
    log: RunLog
    file: Path

    @property
    def run(self) -> Run:
        """Which run it is."""
        assert self.job.run is not None
        return self.job.run


def run_states(jobs: Iterable[Job], results: Path) -> list[RunState]:
    """The state of every job that trains."""
    held = _held_locks()
    return [_state(job, run_files(results, job), held) for job in jobs if job.trains]


def _state(job: Job, files: RunFiles, held: set[int]) -> RunState:
    # A run that is there although it is to be done belongs to other code or settings, as its log.
    current = not job.finished and not files.metrics.is_file() and files.log.is_file()
    if not current:
        return RunState(job, "done" if job.finished else "to do", RunLog(), files.log)
    log = read_run_log(files.log)
    return RunState(job, _how_it_stands(log, files, held), log, files.log)


def _how_it_stands(log: RunLog, files: RunFiles, held: set[int]) -> State:
    if log.error:
        return "failed"
    locked = files.lock.is_file() and files.lock.stat().st_ino in held
    fresh = time.time() - files.log.stat().st_mtime < SILENT_SECONDS
    return "running" if locked or (fresh and not log.interrupted) else "stopped"


def _held_locks() -> set[int]:
    """Inodes of the files that processes of this machine hold a lock on, where the system tells.

    Trying the lock itself would, for that moment, look like another process at work on the run.
    """
    if not PROC_LOCKS.is_file():
        return set()
    lines = PROC_LOCKS.read_text(encoding="utf-8").splitlines()
    return {int(line.split()[-3].rpartition(":")[2]) for line in lines if "FLOCK" in line}
