"""How well a classifier's probabilities agree with how often it is right (Guo et al. 2017)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

BINS = 15  # of Guo et al.


@dataclass(frozen=True)
class Bins:
    """Examples sorted into bins of equal width by their confidence, all arrays [bins].

    Attributes:
        low: lower edges; a bin holds confidences above it, the first one 0 as well.
        high: upper edges, which belong to the bin.
        count: examples.
        confidence: their mean confidence, NaN in an empty bin.
        accuracy: share of them whose prediction is right, NaN in an empty bin.
    """

    low: Floats
    high: Floats
    count: Labels
    confidence: Floats
    accuracy: Floats

    @property
    def ece(self) -> float:
        """Expected calibration error, 0 to 1: mean gap of confidence and accuracy over examples."""
        gaps = np.nan_to_num(np.abs(self.accuracy - self.confidence))
        return float(gaps @ self.count / self.count.sum())


@dataclass(frozen=True)
class Calibration:
    """Summary over the n examples of a split.

    Attributes:
        ece: expected calibration error, 0 to 1.
        brier: Brier score over all classes, 0 to 2.
        confidence: mean probability of the predicted class, 0 to 1.
        accuracy: share of right predictions, 0 to 1.
        n: number of examples.
    """

    ece: float
    brier: float
    confidence: float
    accuracy: float
    n: int

    @property
    def over_confidence(self) -> float:
        """Mean confidence minus accuracy, -1 to 1; positive where the model is too sure."""
        return self.confidence - self.accuracy


def reliability(probabilities: Floats, labels: Labels, bins: int = BINS) -> Bins:
    """The reliability diagram of predictions, the class of the highest probability each.

    Args:
        probabilities: [n, classes], each row summing to 1.
        labels: [n], the right classes.
        bins: number of bins of equal width from 0 to 1.

    Raises:
        ValueError: no examples, different numbers of them, or unlabelled (negative) ones.
    """
    _check(probabilities, labels)
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = (probabilities.argmax(axis=1) == labels).astype(np.float64)
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        sums = (np.bincount(place, weights, minlength=bins) for weights in (confidence, right))
        means = [total / count for total in sums]
    return Bins(edges[:-1], edges[1:], count, *means)


def brier_score(probabilities: Floats, labels: Labels) -> float:
    """Mean over examples of the squared distance of the probabilities from the label's one-hot.

    Summed over all classes as Brier (1950) did, from 0 to 2: with two classes twice the square of
    the error of one of them.

    Args:
        probabilities: [n, classes].
        labels: [n], the right classes.

    Raises:
        ValueError: as `reliability`.
    """
    _check(probabilities, labels)
    truth = np.eye(probabilities.shape[1])[labels]
    return float(np.mean(np.sum((probabilities - truth) ** 2, axis=1)))


def calibration(probabilities: Floats, labels: Labels, bins: int = BINS) -> Calibration:
    """Calibration error, Brier score, confidence and accuracy; see `reliability`."""
    found = reliability(probabilities, labels, bins)
    return Calibration(
        ece=found.ece,
        brier=brier_score(probabilities, labels),
        confidence=float(np.mean(probabilities.max(axis=1), dtype=np.float64)),
        accuracy=float(np.mean(probabilities.argmax(axis=1) == labels)),
        n=len(labels),
    )


def _check(probabilities: Floats, labels: Labels) -> None:
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1] or not len(labels):
        raise ValueError(
            f"cannot judge {probabilities.shape} probabilities with {labels.shape} labels"
        )
    if labels.min() < 0:
        raise ValueError("cannot judge unlabelled examples")
