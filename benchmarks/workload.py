"""What every contestant is trained on: a shape and a few batches with the lengths of a task."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.examples import random_split
from benchmarks.lengths import sample
from benchmarks.shapes import Shape
from internal_kd.data.encoding import EncodedSplit


@dataclass(frozen=True)
class Workload:
    """Training examples, those of a batch beside each other, shortest batch first.

    Attributes:
        shape: of teacher and student.
        task: whose lengths the examples have.
        split: the examples.
        batch_size: examples per step; divides the number of examples.
    """

    shape: Shape
    task: str
    split: EncodedSplit
    batch_size: int

    @property
    def batches(self) -> npt.NDArray[np.int64]:
        """Rows of the batches, [batches, batch size]."""
        return np.arange(len(self.split)).reshape(-1, self.batch_size)

    def spread(self, examples: int) -> npt.NDArray[np.int64]:
        """Rows of `examples` examples from short to long."""
        return np.linspace(0, len(self.split) - 1, examples).astype(np.int64)


def make_workload(shape: Shape, task: str, batch_size: int, batches: int) -> Workload:
    """`batches` batches of random tokens with lengths sampled from those of `task`."""
    lengths = sample(task, batch_size, batches).ravel()
    return Workload(shape, task, random_split(lengths, shape.vocabulary), batch_size)
