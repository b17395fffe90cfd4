"""What is compared: a way to train the student of a workload."""

import time
from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.reference import LossAndGradients
from benchmarks.workload import Workload

LEARNING_RATE = 1e-5
MAX_GRAD_NORM = 1.0


class NotMeasuredError(Exception):
    """A contestant cannot run here; the message gives the reason."""


class CpuClock:
    """CPU time of this process between `start` and `stop`, in seconds."""

    def __init__(self) -> None:
        self.started: float | None = None
        self.seconds = 0.0

    def start(self) -> None:
        """Begin, unless it runs already."""
        if self.started is None:
            self.started = time.process_time()

    def stop(self) -> None:
        """Add the time since `start`."""
        assert self.started is not None
        self.seconds += time.process_time() - self.started
        self.started = None


class Contestant(ABC):
    """A way to train the student of a workload.

    Attributes:
        live_teacher: whether the teacher runs in every step.
        exact: whether loss and gradients have to agree with the reference.
    """

    live_teacher = True
    exact = True

    def __init__(self, workload: Workload) -> None:
        self.workload = workload

    def prepare(self) -> float:
        """What a training does once at its start: CPU seconds for the whole workload."""
        return 0.0

    @abstractmethod
    def train(self, passes: int) -> float:
        """Train on the workload `passes` times: CPU seconds per pass, without start and end."""

    @abstractmethod
    def loss_and_gradients(self, rows: npt.NDArray[np.int64]) -> LossAndGradients:
        """Loss and gradients of one batch of examples, with the models' first parameters."""


def tensors(workload: Workload, row: int, padded_to: int = 0) -> dict[str, torch.Tensor]:
    """An example as a model's inputs, each [tokens], padded to `padded_to` tokens."""
    split = workload.split
    tokens = slice(split.offsets[row], split.offsets[row + 1])
    length = split.lengths[row]
    columns = {
        "input_ids": split.input_ids[tokens],
        "token_type_ids": split.token_type_ids[tokens],
        "attention_mask": np.ones(length),
    }
    padding = max(padded_to - length, 0)
    return {
        name: torch.from_numpy(np.pad(column, (0, padding)).astype(np.int64))
        for name, column in columns.items()
    }
