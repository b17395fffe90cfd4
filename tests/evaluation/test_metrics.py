from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn

from internal_kd.evaluation.metrics import (
    METRICS,
    majority_baseline,
    mcc,
    mcc_by_chance,
    score,
)
from internal_kd.specs.tasks import METRICS_OF, SINGLE_LABEL

pytestmark = pytest.mark.filterwarnings("ignore:A single label was found:UserWarning:sklearn")

PAIRS = st.integers(1, 60).flatmap(
    lambda n: st.tuples(
        *(st.lists(st.integers(0, 2), min_size=n, max_size=n).map(np.array) for _ in range(2))
    )
)
BINARY_PAIRS = PAIRS.map(lambda pair: tuple(values % 2 for values in pair))


def test_names_are_those_of_the_tasks():
    assert set(METRICS) == set(METRICS_OF[SINGLE_LABEL])


@given(pair=BINARY_PAIRS)
def test_two_classes_as_scikit_learn(pair):
    labels, predictions = pair
    found = score(labels, predictions)
    assert found["accuracy"] == pytest.approx(sklearn.accuracy_score(labels, predictions))
    assert found["f1"] == pytest.approx(sklearn.f1_score(labels, predictions, zero_division=0))
    assert found["f1_weighted"] == pytest.approx(
        sklearn.f1_score(labels, predictions, average="weighted", zero_division=0)
    )
    assert found["mcc"] == pytest.approx(sklearn.matthews_corrcoef(labels, predictions), abs=1e-12)


@given(pair=PAIRS)
def test_three_classes_as_scikit_learn(pair):
    labels, predictions = pair
    found = score(labels, predictions)
    assert found["f1_weighted"] == pytest.approx(
        sklearn.f1_score(labels, predictions, average="weighted", zero_division=0)
    )
    assert found["mcc"] == pytest.approx(sklearn.matthews_corrcoef(labels, predictions), abs=1e-12)


def test_by_hand():
    labels = np.array([1, 1, 1, 0, 0])
    predictions = np.array([1, 1, 0, 0, 1])
    found = score(labels, predictions)
    assert found["accuracy"] == pytest.approx(3 / 5)
    assert found["f1"] == pytest.approx(2 / 3)  # precision 2/3, recall 2/3
    assert found["f1_weighted"] == pytest.approx(3 / 5 * 2 / 3 + 2 / 5 * 1 / 2)
    assert found["mcc"] == pytest.approx((2 * 1 - 1 * 1) / 6)


def test_one_class_only_is_zero_and_silent(recwarn):
    found = score(np.array([0, 1, 0]), np.array([0, 0, 0]))
    assert found["f1"] == 0.0
    assert found["mcc"] == 0.0
    assert not recwarn.list


@pytest.mark.parametrize("classes", [2, 3])
def test_perfect_predictions(classes):
    labels = np.arange(10) % classes
    assert score(labels, labels) == {name: pytest.approx(1.0) for name in METRICS}


@pytest.mark.parametrize(
    ("labels", "predictions"), [([], []), ([0, 1], [0]), ([-1, 1], [0, 1]), ([[0]], [[0]])]
)
def test_what_cannot_be_scored_is_refused(labels, predictions):
    with pytest.raises(ValueError, match="cannot score"):
        score(np.array(labels), np.array(predictions))


def test_majority_comes_from_the_training_labels():
    found = majority_baseline(np.array([1, 1, 0]), np.array([0, 0, 0, 1]))
    assert found["accuracy"] == 0.25
    assert found["mcc"] == 0.0


@pytest.mark.parametrize(
    ("labels", "predictions"),
    [([0, 0, 1, 1, 1, 0], [0, 1, 1, 1, 1, 0]), ([0, 0, 1, 1, 2, 2], [0, 1, 1, 2, 2, 2])],
)
def test_mcc_by_chance_is_its_spread_over_all_orders(labels, predictions):
    truth = np.array(labels)
    values = [mcc(truth, np.array(order)) for order in permutations(predictions)]
    assert mcc_by_chance(truth, np.array(predictions)) == pytest.approx(np.std(values))
    assert np.mean(values) == pytest.approx(0, abs=1e-12)


def test_mcc_by_chance_of_two_classes_depends_on_the_number_of_examples_alone():
    rng = np.random.default_rng(0)
    labels, predictions = (rng.random(101) < share for share in (0.3, 0.6))
    assert mcc_by_chance(labels, predictions) == pytest.approx(0.1)


def test_mcc_by_chance_of_one_class_is_zero_and_silent(recwarn):
    assert mcc_by_chance(np.array([0, 1, 0]), np.array([1, 1, 1])) == 0.0
    assert mcc_by_chance(np.array([1]), np.array([1])) == 0.0
    assert not recwarn.list
