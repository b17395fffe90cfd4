"""A workload small enough for tests."""

import numpy as np

from benchmarks.examples import random_split
from benchmarks.shapes import Shape
from benchmarks.workload import Workload

SMALL = Shape("small", "small", 64, 4, 4, 2, 1200)


def small_workload() -> Workload:
    """Eight examples of 4 to 64 tokens in two batches."""
    lengths = np.array([4, 5, 6, 7, 8, 9, 11, 64])
    return Workload(SMALL, "cola", random_split(lengths, SMALL.vocabulary), 4)
