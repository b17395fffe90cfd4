"""Classification metrics over integer labels and predictions [n], in 0..1 or -1..1, and flags.

Where a quotient is 0/0 it counts as 0.0, as in scikit-learn with `zero_division=0`.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from internal_kd.evaluation.predictions import SplitPredictions

Labels = npt.NDArray[np.int64]


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


def mcc_by_chance(labels: Labels, predictions: Labels) -> float:
    """Standard deviation of `mcc` over all orders of the predictions: what chance alone gives.

    With A and B the covariance matrices of the one-hot labels and predictions of n examples it is
    exactly sqrt(tr(AB) / (tr(A) tr(B) (n - 1))). For two classes that is 1 / sqrt(n - 1), so that
    MCC divided by it is the root of the chi-square statistic n MCC^2 of the 2 x 2 table, but for
    the factor (n - 1) / n. 0.0 where labels or predictions are all of one class.
    """
    classes = np.union1d(labels, predictions)
    truth, guess = (_covariance(found, classes) for found in (labels, predictions))
    product = np.trace(truth) * np.trace(guess)
    if product <= 0:
        return 0.0
    return float(np.sqrt(np.sum(truth * guess) / (product * (len(labels) - 1))))


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


def _covariance(values: Labels, classes: Labels) -> npt.NDArray[np.float64]:
    """Covariances of the indicators of the classes, [classes, classes]."""
    shares = (values[:, None] == classes).mean(axis=0)
    return np.diag(shares) - np.outer(shares, shares)


def _f1_of(positive: int, labels: Labels, predictions: Labels) -> float:
    truth, guess = labels == positive, predictions == positive
    size = truth.sum() + guess.sum()
    return float(2 * np.sum(truth & guess) / size) if size else 0.0


NORMAL_QUANTILE = 1.959964  # 97.5 %, for a two-sided interval of 95 %


def flags_of(train_labels: Labels, predictions: SplitPredictions) -> list[str]:
    """The flags of a model, from its answers to labelled development examples.

    `one_class`: it always answers the same class. `at_majority`: its accuracy is not above that of
    the most frequent class of `train_labels`, or the 95 % interval of its MCC contains 0. The
    interval reaches 1.96 standard deviations (`mcc_by_chance`) to either side.
    """
    labels, guesses = predictions.labels, predictions.predictions
    flags = ["one_class"] if len(set(guesses.tolist())) == 1 else []
    highest = majority_baseline(train_labels, labels)["accuracy"]
    by_chance = mcc(labels, guesses) <= NORMAL_QUANTILE * mcc_by_chance(labels, guesses)
    if by_chance or accuracy(labels, guesses) <= highest:
        flags.append("at_majority")
    return flags
