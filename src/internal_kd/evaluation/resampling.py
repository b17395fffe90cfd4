"""Resampling of the examples that several models have answered.

All models of a comparison are resampled together: an example brings along the answers that every
model, and every seed of a model, gave to it. Examples with the same label and the same answers are
interchangeable, so that they are counted as one cell: resamples are drawn over cells.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CHUNK = 2_000_000  # numbers held at once
EXAMPLES_PER_CELL = 8  # below, drawing rows and counting them is faster than a multinomial


@dataclass(frozen=True)
class Cells:
    """n examples by label and answers of all models.

    Attributes:
        counts: int64 [cells], examples in each cell.
        members: int64 [n], the cell of each example.
        hits: float64 [cells, models, classes, classes], 1.0 at the label and the answer of a model.
    """

    counts: npt.NDArray[np.int64]
    members: npt.NDArray[np.int64]
    hits: Floats

    def confusions(self, weights: Floats) -> Floats:
        """Confusion matrices [resamples, models, classes (label), classes (answer)].

        Args:
            weights: examples in each cell, [resamples, cells].
        """
        flat = weights @ self.hits.reshape(len(self.counts), -1)
        return flat.reshape(len(weights), *self.hits.shape[1:])


def joint_cells(labels: Ints, predictions: Ints) -> Cells:
    """Count the examples by label and answers.

    Args:
        labels: [n], from 0.
        predictions: [models, n], from 0.

    Raises:
        ValueError: no examples, unlabelled ones, or predictions of another shape.
    """
    if predictions.ndim != 2 or predictions.shape[1:] != labels.shape or not labels.size:
        raise ValueError(f"{labels.shape} labels do not fit {predictions.shape} predictions")
    if min(labels.min(), predictions.min()) < 0:
        raise ValueError("cannot resample unlabelled examples")
    joint = np.column_stack([labels, *predictions])
    cells, members, counts = np.unique(joint, axis=0, return_inverse=True, return_counts=True)
    eye = np.eye(int(joint.max()) + 1)
    hits = np.einsum("ka,kmb->kmab", eye[cells[:, 0]], eye[cells[:, 1:]])
    return Cells(counts, members.ravel(), hits)


def bootstrap_confusions(cells: Cells, resamples: int, rng: np.random.Generator) -> Floats:
    """Confusion matrices [resamples, models, classes, classes] of n resampled examples."""
    parts = _draws(cells.counts, cells.members, resamples, rng)
    return np.concatenate([cells.confusions(weights) for weights in parts])


def bootstrap_means(values: Floats, resamples: int, rng: np.random.Generator) -> Floats:
    """Means [resamples, columns] of n resampled examples.

    Args:
        values: [n, columns], what was measured on each example.
        resamples: how many times n examples are drawn.
        rng: of the draws.
    """
    n = len(values)
    parts = _draws(np.ones(n, dtype=np.int64), np.arange(n), resamples, rng)
    return np.concatenate([weights @ values / n for weights in parts])


def swapped_confusions(
    cells: Cells, resamples: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Confusion matrices of both halves of the models after swapping them on random examples.

    Each example swaps the answers of model i and of model i + half, for all i at once, with
    probability 1/2 (approximate randomisation).

    Returns:
        Two arrays [resamples, half of the models, classes, classes].
    """
    half = cells.hits.shape[1] // 2
    first, second = cells.hits[:, :half], cells.hits[:, half:]
    gain = Cells(cells.counts, cells.members, second - first)
    chunk = max(1, CHUNK // len(cells.counts))
    parts = [
        gain.confusions(rng.binomial(cells.counts, 0.5, (size, len(cells.counts))).astype(float))
        for size in _sizes(resamples, chunk)
    ]
    moved = np.concatenate(parts)
    whole = cells.confusions(cells.counts[None].astype(float))
    return whole[:, :half] + moved, whole[:, half:] - moved


def scores_of_confusions(confusions: Floats) -> dict[str, Floats]:
    """All metrics of `evaluation.metrics`, [...], of confusion matrices [..., label, answer]."""
    right = np.trace(confusions, axis1=-2, axis2=-1)
    hits = np.diagonal(confusions, axis1=-2, axis2=-1)
    truth, guess = confusions.sum(axis=-1), confusions.sum(axis=-2)
    n = truth.sum(axis=-1)
    f1 = _quotient(2 * hits, truth + guess)
    covariance = n * right - np.sum(truth * guess, axis=-1)
    spreads = (n**2 - np.sum(truth**2, axis=-1), n**2 - np.sum(guess**2, axis=-1))
    return {
        "accuracy": right / n,
        "f1": f1[..., 1] if f1.shape[-1] > 1 else np.zeros_like(n),
        "f1_weighted": np.sum(f1 * truth, axis=-1) / n,
        "mcc": _quotient(covariance, np.sqrt(spreads[0]) * np.sqrt(spreads[1])),
    }


def _quotient(over: Floats, under: Floats) -> Floats:
    return np.divide(over, under, out=np.zeros_like(over), where=under > 0)


def _draws(
    counts: npt.NDArray[np.int64],
    members: npt.NDArray[np.int64],
    resamples: int,
    rng: np.random.Generator,
) -> Iterator[Floats]:
    """Weights [chunk, cells] of n examples drawn with replacement, `resamples` in all."""
    n, k = len(members), len(counts)
    if k * EXAMPLES_PER_CELL <= n:
        for size in _sizes(resamples, max(1, CHUNK // k)):
            yield rng.multinomial(n, counts / n, size).astype(float)
    else:
        for size in _sizes(resamples, max(1, CHUNK // n)):
            drawn = members[rng.integers(n, size=(size, n))] + k * np.arange(size)[:, None]
            yield np.bincount(drawn.ravel(), minlength=size * k).reshape(size, k).astype(float)


def _sizes(total: int, chunk: int) -> list[int]:
    whole, rest = divmod(total, chunk)
    return [chunk] * whole + [rest] * (rest > 0)
