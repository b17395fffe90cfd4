"""Checkpoints of a training, kept on disk so that a killed run resumes instead of starting afresh.

A checkpoint is one file whose name carries the hash of its content: it is there as a whole or not
at all, and damage is noticed. It also carries the identity of the run, so that one of another
config, other code or other inputs is left alone.

The signals on which a training ends, after writing a checkpoint.
"""

import hashlib
import logging
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from types import FrameType
from typing import TypedDict

import torch
from torch import Tensor

from internal_kd.distillation.history import MeansState, Row, SelectionState
from internal_kd.distillation.optimization import AdamState, RateState
from internal_kd.distillation.progress import ProgressFile
from internal_kd.errors import UserError
from internal_kd.manifests import digest, hashes, versions

logger = logging.getLogger(__name__)

SUFFIX = ".checkpoint"
MINUTES = "INTERNAL_KD_CHECKPOINT_MINUTES"
DEFAULT_MINUTES = 10.0
# Share of the time that writing at the ends of epochs may take, so that short ones are not slowed.
WRITING_SHARE = 0.05


class TrainingState(TypedDict):
    """Everything that decides how a training goes on, as plain data and tensors."""

    epoch: int
    batch: int
    means: MeansState
    train_seconds: float
    history: list[Row]
    selection: SelectionState
    schedule: dict[str, object]
    learning_rate: RateState
    model: dict[str, Tensor]
    beside: dict[str, Tensor]
    optimizer: AdamState
    random: dict[str, Tensor]


def run_identity(job: object, inputs: Iterable[str | Path]) -> str:
    """Hash of what decides a run's numbers: settings, code, input files, and packages.

    Args:
        job: settings and fingerprint of the code, as JSON can write them.
        inputs: files and folders, hashed as a whole.
    """
    return digest([job, versions(), list(hashes(map(Path, inputs)).values())])


def _minutes() -> float:
    """Time between two checkpoints, as the user sets it.

    Raises:
        UserError: it is no time.
    """
    given = os.environ.get(MINUTES, DEFAULT_MINUTES)
    with suppress(ValueError):
        if float(given) >= 0:
            return float(given)
    raise UserError(
        f"{MINUTES}: is '{given}'; it must be a number of minutes, such as {DEFAULT_MINUTES}"
    )


class Checkpoints:
    """The checkpoints of one run, of which the newest is kept.

    Args:
        folder: contains nothing else; made when needed, removed by `remove`.
        identity: see `run_identity`.
        minutes: inside an epoch, time between two checkpoints; the user's wish if None.
        progress: where the training also reports how far it is; None for nowhere.

    Raises:
        UserError: that wish is no time.
    """

    def __init__(
        self,
        folder: Path,
        identity: str,
        minutes: float | None = None,
        progress: ProgressFile | None = None,
    ) -> None:
        self.folder = folder
        self.identity = identity
        self.progress = progress
        self.seconds = 60 * (_minutes() if minutes is None else minutes)
        self._written = time.monotonic()
        self._cost = 0.0

    def due(self, epoch_ended: bool) -> bool:
        """Whether it is time for a checkpoint."""
        passed = time.monotonic() - self._written
        return passed >= (self._cost / WRITING_SHARE if epoch_ended else self.seconds)

    def save(self, state: TrainingState) -> None:
        """Write a checkpoint and remove the one before; a full disk costs a warning."""
        started = time.monotonic()
        content = BytesIO()
        torch.save({"identity": self.identity, "state": state}, content)
        data = content.getbuffer()
        name = hashlib.blake2b(data, digest_size=16).hexdigest() + SUFFIX
        try:
            self._replace(name, data)
        except OSError as error:
            logger.warning("no checkpoint written: %s: %s", self.folder, error.strerror)
        self._written = time.monotonic()
        self._cost = self._written - started

    def _replace(self, name: str, data: memoryview) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / "partial"
        with open(partial, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        before = self._files()
        os.replace(partial, self.folder / name)
        for file_before in before:
            if file_before.name != name:
                file_before.unlink(missing_ok=True)

    def load(self, device: torch.device) -> TrainingState | None:
        """The newest whole checkpoint of this run; why any other is not used is logged."""
        for file in self._files():
            state = self._read(file, device)
            if state is not None:
                return state
        return None

    def _read(self, file: Path, device: torch.device) -> TrainingState | None:
        data = file.read_bytes()
        if hashlib.blake2b(data, digest_size=16).hexdigest() + SUFFIX != file.name:
            logger.warning("%s: the checkpoint is damaged; it is not used", file)
            return None
        content = torch.load(BytesIO(data), map_location=device, weights_only=True)
        if content["identity"] != self.identity:
            logger.warning(
                "%s: the checkpoint is of another config, other code or other inputs; "
                "it is not used",
                file,
            )
            return None
        state: TrainingState = content["state"]
        return state

    def _files(self) -> list[Path]:
        """Newest first."""
        return sorted(
            self.folder.glob(f"*{SUFFIX}"), key=lambda file: file.stat().st_mtime_ns, reverse=True
        )

    def remove(self) -> None:
        """Remove the folder, once the run has left its files."""
        shutil.rmtree(self.folder, ignore_errors=True)


SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


class Interruption:
    """Inside this context a request to end is noted instead of followed.

    SLURM sends SIGTERM some seconds before it kills a job, and SIGUSR1 where it is configured to.

    Args:
        active: otherwise signals have their usual effect.
    """

    def __init__(self, active: bool) -> None:
        # Only the main thread can set handlers.
        able = active and threading.current_thread() is threading.main_thread()
        self._signals = SIGNALS if able else ()
        self.signal: signal.Signals | None = None

    def __enter__(self) -> "Interruption":
        self._before = {number: signal.signal(number, self._note) for number in self._signals}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        self.signal = signal.Signals(number)
