import subprocess
import sys

import numpy as np
import pytest

from internal_kd.evaluation.metrics import f1_weighted, flags_of
from internal_kd.evaluation.predictions import SplitPredictions

RUNS = 500
RTE = np.arange(277) < 146  # sizes and class shares of development sets of GLUE
MRPC = np.arange(408) < 279
COLA = np.arange(1043) < 721
THREE_CLASSES = np.arange(300) % 3


def answers(labels, guesses):
    classes = int(max(labels.max(), guesses.max())) + 1
    logits = np.eye(classes, dtype=np.float32)[np.asarray(guesses, dtype=int)]
    return SplitPredictions(np.arange(len(labels)), np.asarray(labels, dtype=int), logits)


def flagged_share(labels, draw):
    """Share of models at majority level, of `RUNS` whose guesses `draw` gives."""
    runs = (answers(labels, draw(np.random.default_rng(seed))) for seed in range(RUNS))
    return np.mean(["at_majority" in flags_of(labels, run) for run in runs])


@pytest.mark.parametrize("labels", [RTE, MRPC, COLA], ids=["rte", "mrpc", "cola"])
@pytest.mark.parametrize("share", ["half", "majority"])
def test_coin_flips_are_flagged(labels, share):
    probability = 0.5 if share == "half" else labels.mean()
    assert flagged_share(labels, lambda rng: rng.random(len(labels)) < probability) >= 0.94


def test_guesses_among_three_classes_are_flagged():
    assert flagged_share(THREE_CLASSES, lambda rng: rng.integers(0, 3, 300)) >= 0.94


@pytest.mark.parametrize(
    ("labels", "accuracy"), [(RTE, 0.65), (MRPC, 0.8), (COLA, 0.78), (THREE_CLASSES, 0.5)]
)
def test_a_model_that_has_learnt_is_not_flagged(labels, accuracy):
    classes = labels.astype(int).max() + 1

    def draw(rng):
        return (labels + (rng.random(len(labels)) > accuracy)) % classes

    assert flagged_share(labels, draw) <= 0.02


def test_guesses_with_a_higher_weighted_f1_than_the_majority_class_are_flagged():
    """68 % of either class are taken for positive ones: weighted F1 0.57 instead of 0.56."""
    guesses = np.concatenate([np.arange(279) < 190, np.arange(129) < 88])
    assert f1_weighted(MRPC, guesses) > f1_weighted(MRPC, np.ones_like(MRPC)) + 0.01
    assert flags_of(MRPC, answers(MRPC, guesses)) == ["at_majority"]


def test_predictions_below_the_majority_class_are_flagged_regardless_of_mcc():
    """52 of 80 and 18 of 20 right: MCC 0.44, but an accuracy of 0.70 where one class has 0.80."""
    labels = np.repeat([1, 0], [80, 20])
    guesses = np.concatenate([np.arange(80) < 52, np.arange(20) >= 18])
    assert flags_of(labels, answers(labels, guesses)) == ["at_majority"]


def test_the_majority_class_is_that_of_the_training_labels():
    """0.55 right: above the training majority's 0.40, below 0.60 of the other class."""
    labels = np.repeat([0, 1], [40, 60])
    guesses = np.concatenate([np.zeros(37), np.ones(3), np.zeros(42), np.ones(18)])
    assert flags_of(np.array([0, 0, 1]), answers(labels, guesses)) == []
    assert flags_of(np.array([0, 1, 1]), answers(labels, guesses)) == ["at_majority"]


def test_one_class_alone_has_both_flags():
    found = flags_of(MRPC, answers(MRPC, np.ones_like(MRPC)))
    assert found == ["one_class", "at_majority"]


def test_start_up_imports_no_scipy():
    code = "import sys, internal_kd.evaluation.metrics; print('scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
