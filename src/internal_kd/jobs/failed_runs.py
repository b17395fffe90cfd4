"""What the jobs that train do when they fail."""

from pathlib import Path
from typing import Protocol

from internal_kd.distillation.progress import identity_of, note_failure
from internal_kd.jobs.cli import Call


class TrainingFiles(Protocol):
    """Files of a job that trains."""

    @property
    def checkpoints(self) -> Path | None:
        """Folder to resume from, if there is one."""
        ...


def note_failed_run(call: Call[TrainingFiles], sentence: str) -> None:
    """Write into the run's progress file why its job failed.

    Args:
        call: of the job.
        sentence: says why.
    """
    note_failure(call.files.checkpoints, identity_of(call.settings, call.code), sentence)
