"""The progress file of a training: how far it is, for those who watch it.

It is `results/checkpoints/{run}.progress.json`, beside the run's checkpoints and its lock. A
training can write there on every machine, and those files are never published, compared or declared
to Snakemake. The folder of logs would not do: Snakemake's rules name the files in it.

A thread of its own writes the file, so that no step waits for a disk. It does so every few seconds,
also while there are no steps (a teacher's signals are computed, a test set is predicted): a file
that says `running` and was not updated for a while belongs to a process that has ended.
"""

import json
import logging
import os
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, TypedDict, Unpack

import msgspec

from internal_kd.errors import Interrupted, reason
from internal_kd.manifests import digest

logger = logging.getLogger(__name__)

WRITE_SECONDS = 5.0
# Longer than two writes and the minute for which an NFS client may show a file as it was.
SILENT_SECONDS = 120.0


@dataclass(frozen=True)
class TrainingProgress:
    """How far an attempt at a training is; times are in seconds.

    Attributes:
        identity: hash of the settings and the code of the run, see `identity_of`.
        state: running; interrupted, to be resumed from a checkpoint; failed.
        reason: one sentence on why it was interrupted or failed.
        started: when the attempt started, since the epoch of the system's clock.
        updated: when the file was written.
        step: steps that are done, in this attempt and before.
        steps: steps of the whole training; 0 before the first one is done.
        epoch: the epoch that the training is in, one-based.
        epochs: of the whole training.
        step_seconds: mean time of a step of this attempt, evaluation included; None if not known.
        loss: mean of the last epoch that is done.
        score: of the development set after that epoch, by which the best epoch is chosen.
        score_name: its split and metric.
        epoch_seconds: training time of that epoch.
    """

    identity: str
    state: Literal["running", "interrupted", "failed"]
    started: float
    updated: float
    reason: str = ""
    step: int = 0
    steps: int = 0
    epoch: int = 0
    epochs: int = 0
    step_seconds: float | None = None
    loss: float | None = None
    score: float | None = None
    score_name: str = ""
    epoch_seconds: float | None = None

    @property
    def running(self) -> bool:
        """Whether a process updated it a moment ago."""
        # Clocks of two machines may differ a little, either way.
        return self.state == "running" and abs(time.time() - self.updated) < SILENT_SECONDS

    @property
    def share(self) -> float:
        """Share of the steps that is done."""
        return self.step / self.steps if self.steps else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Time that the rest of the steps takes; None if it is not known."""
        return None if self.step_seconds is None else self.step_seconds * (self.steps - self.step)


class Advance(TypedDict, total=False):
    """Fields of a `TrainingProgress` that change during a training."""

    steps: int
    epoch: int
    epochs: int
    loss: float
    score: float
    score_name: str
    epoch_seconds: float


def identity_of(settings: object, code: str | None) -> str:
    """Hash of what determines a run, by which its progress file is recognised."""
    return digest([settings, code])


def progress_file(checkpoints: Path) -> Path:
    """The progress file of the run whose checkpoints are in a folder."""
    return checkpoints.with_name(f"{checkpoints.name}.progress.json")


def read_progress(file: Path) -> TrainingProgress | None:
    """Content of a progress file; None if there is none or it is not readable."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=TrainingProgress)
    except (OSError, ValueError):
        return None


def write_progress(file: Path, progress: TrainingProgress) -> None:
    """Write a progress file as a whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    partial = file.with_name(f"{file.name}.partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(asdict(progress)), encoding="utf-8")
        os.replace(partial, file)
    except OSError:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def note_failure(checkpoints: Path | None, identity: str, sentence: str) -> None:
    """Write into a run's progress file why its job failed, also before the training began.

    Args:
        checkpoints: folder of the run's checkpoints; None if it has none.
        identity: of the run, see `identity_of`.
        sentence: the reason.
    """
    if checkpoints is None:
        return
    file, now = progress_file(checkpoints), time.time()
    before = read_progress(file)
    if before is None or before.identity != identity:
        before = TrainingProgress(identity, "failed", started=now, updated=now)
    with suppress(OSError):
        write_progress(file, replace(before, state="failed", reason=sentence, updated=now))


class ProgressFile:
    """Keeps the progress file of a run up to date while inside; it is removed at a good end.

    A file that cannot be written is a warning in the log, once, and nothing else.

    Args:
        checkpoints: folder of the run's checkpoints.
        identity: of the run, see `identity_of`.
        seconds: between two writes.
    """

    def __init__(self, checkpoints: Path, identity: str, seconds: float = WRITE_SECONDS) -> None:
        self.file = progress_file(checkpoints)
        self._seconds = seconds
        self._now = TrainingProgress(identity, "running", started=0.0, updated=0.0)
        self._first: tuple[int, float] | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep_writing, name="progress", daemon=True)
        self._warned = False

    def advance(self, step: int, **values: Unpack[Advance]) -> None:
        """Set how far the training is, for the next write.

        Args:
            step: steps that are done.
            values: what has changed beside it.
        """
        now = time.perf_counter()
        self._first = self._first or (step, now)
        done, seconds = step - self._first[0], now - self._first[1]
        pace = seconds / done if done else None
        self._now = replace(self._now, step=step, step_seconds=pace, **values)

    def __enter__(self) -> "ProgressFile":
        self._now = replace(self._now, started=time.time())
        self._try_to_write()
        try:
            self._thread.start()
        except RuntimeError as error:  # the system gives the process no further thread
            self._warn(str(error))
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()
        if error is None:
            with suppress(OSError):
                self.file.unlink(missing_ok=True)
            return
        failed = isinstance(error, Exception) and not isinstance(error, Interrupted)
        state: Literal["failed", "interrupted"] = "failed" if failed else "interrupted"
        self._now = replace(self._now, state=state, reason=reason(error))
        self._try_to_write()

    def _keep_writing(self) -> None:
        while not self._ended.wait(self._seconds):
            self._try_to_write()

    def _try_to_write(self) -> None:
        try:
            write_progress(self.file, replace(self._now, updated=time.time()))
        except OSError as error:
            self._warn(str(error.strerror))

    def _warn(self, why: str) -> None:
        if not self._warned:
            self._warned = True
            logger.warning("%s: %s; the progress of this run is not shown", self.file, why)
