"""Real lengths of GLUE's training examples, and a small sample of batches with such lengths."""

import csv
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

FILE = Path(__file__).with_name("lengths.csv")
TASKS = ("cola", "qqp", "mrpc", "rte", "qnli")
MAX_LENGTH = 64
WINDOW_BATCHES = 50

Lengths = npt.NDArray[np.int64]


@cache
def histogram(task: str) -> tuple[Lengths, Lengths]:
    """Lengths that occur in `task`, ascending, and how often each does: two arrays [n]."""
    with FILE.open() as file:
        table = csv.DictReader(line for line in file if not line.startswith("#"))
        rows = [(int(row["length"]), int(row["count"])) for row in table if row["task"] == task]
    lengths, counts = np.array(rows).T
    return lengths, counts


def moments(task: str) -> tuple[float, float]:
    """Mean of the length and of its square over the training examples of `task`."""
    lengths, counts = histogram(task)
    return np.average(lengths, weights=counts), np.average(lengths**2, weights=counts)


def window(task: str, batch_size: int) -> Lengths:
    """`WINDOW_BATCHES` batches sorted by length, as length grouping makes them: [batches, size].

    The lengths stand at evenly spaced quantiles of the task's.
    """
    lengths, counts = histogram(task)
    n = WINDOW_BATCHES * batch_size
    ends = np.cumsum(counts) / counts.sum()
    return lengths[np.searchsorted(ends, (np.arange(n) + 0.5) / n)].reshape(-1, batch_size)


def sample(task: str, batch_size: int, batches: int) -> Lengths:
    """`batches` of the batches of a `window`, [batches, size], shortest first.

    The window is divided into so many equal parts; of each that batch is taken whose mean length is
    nearest to the part's.
    """
    chosen = []
    for part in np.array_split(window(task, batch_size), batches):
        means = part.mean(axis=1)
        chosen.append(part[np.abs(means - means.mean()).argmin()])
    return np.stack(chosen)
