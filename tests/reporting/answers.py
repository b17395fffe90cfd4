"""Predictions with a known number of right answers, for tests of tables."""

import numpy as np

from internal_kd.evaluation.predictions import SplitPredictions
from tests.reporting.fake_runs import frame_of, logits_for


def answers(right: int, of: int = 10) -> SplitPredictions:
    """Predictions on labels 0, 1, 0, 1, ..., of which the first `right` are right."""
    labels = np.arange(of) % 2
    guesses = np.where(np.arange(of) < right, labels, 1 - labels)
    return frame_of(labels, logits_for(guesses))


def unlabelled(guesses: list[int]) -> SplitPredictions:
    """Predictions on a test split without labels."""
    return frame_of(np.full(len(guesses), -1), logits_for(guesses))


def predicted(labels: list[int], guesses: list[int]) -> SplitPredictions:
    """Predictions written out."""
    return frame_of(np.array(labels), logits_for(guesses))
