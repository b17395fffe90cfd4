"""Classification metrics over integer labels and predictions of shape [n], all in 0..1 or -1..1.

Where a quotient is 0/0 it counts as 0.0, as in scikit-learn with `zero_division=0`.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.integer]


def accuracy(labels: Labels, predictions: Labels) -> float:
    """Share of examples whose prediction is the label."""
    return float(np.mean(labels == predictions))


def f1_binary(labels: Labels, predictions: Labels) -> float:
    """F1 of class 1, the F1 of GLUE's QQP and MRPC."""
    return _f1_of(1, labels, predictions)


def f1_weighted(labels: Labels, predictions: Labels) -> float:
    """F1 of each class, averaged with the classes' shares of the labels (the F1 of Table 1)."""
    classes, counts = np.unique(labels, return_counts=True)
    scores = [_f1_of(c, labels, predictions) for c in classes]
    return float(np.average(scores, weights=counts))


def mcc(labels: Labels, predictions: Labels) -> float:
    """Matthews correlation coefficient; 0.0 where labels or predictions are all of one class."""
    classes = np.union1d(labels, predictions)
    truth = labels[:, None] == classes
    guess = predictions[:, None] == classes
    true_share, guess_share = truth.mean(axis=0), guess.mean(axis=0)
    covariance = np.mean(labels == predictions) - true_share @ guess_share
    variances = (1 - true_share @ true_share) * (1 - guess_share @ guess_share)
    return float(covariance / np.sqrt(variances)) if variances > 0 else 0.0


METRICS: dict[str, Callable[[Labels, Labels], float]] = {
    "accuracy": accuracy,
    "f1": f1_binary,
    "f1_weighted": f1_weighted,
    "mcc": mcc,
}


def score(labels: Labels, predictions: Labels) -> dict[str, float]:
    """All metrics by name.

    Raises:
        ValueError: no examples, different lengths, or unlabelled (negative) examples among them.
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.shape != predictions.shape or labels.ndim != 1 or not len(labels):
        raise ValueError(f"cannot score {labels.shape} labels with {predictions.shape} predictions")
    if labels.min() < 0:
        raise ValueError("cannot score unlabelled examples")
    return {name: metric(labels, predictions) for name, metric in METRICS.items()}


def majority_baseline(train_labels: Labels, labels: Labels) -> dict[str, float]:
    """Scores on `labels` of always predicting the most frequent class of `train_labels`."""
    classes, counts = np.unique(train_labels, return_counts=True)
    return score(labels, np.full(len(labels), classes[np.argmax(counts)]))


def _f1_of(positive: int, labels: Labels, predictions: Labels) -> float:
    truth, guess = labels == positive, predictions == positive
    size = truth.sum() + guess.sum()
    return float(2 * np.sum(truth & guess) / size) if size else 0.0
