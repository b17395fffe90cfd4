"""Flags of a run whose model has not been shown to have learnt anything."""

from internal_kd.evaluation.metrics import Labels, accuracy, majority_baseline, mcc, mcc_by_chance
from internal_kd.evaluation.predictions import SplitPredictions

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
