import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from internal_kd.evaluation.calibration import brier_score, calibration, reliability


def two_classes(of_class_1):
    p = np.asarray(of_class_1, dtype=float)
    return np.stack([1 - p, p], axis=1)


# Confidences 0.9, 0.8, 0.6, 0.6; right, wrong, right, wrong.
PROBABILITIES = two_classes([0.9, 0.8, 0.4, 0.4])
LABELS = np.array([1, 0, 0, 1])


def test_bins_by_hand() -> None:
    found = reliability(PROBABILITIES, LABELS, bins=5)
    np.testing.assert_allclose(found.low, [0.0, 0.2, 0.4, 0.6, 0.8])
    np.testing.assert_allclose(found.high, [0.2, 0.4, 0.6, 0.8, 1.0])
    assert found.count.tolist() == [0, 0, 2, 1, 1]  # an upper edge belongs to its bin
    np.testing.assert_allclose(found.confidence, [np.nan, np.nan, 0.6, 0.8, 0.9])
    np.testing.assert_allclose(found.accuracy, [np.nan, np.nan, 0.5, 0.0, 1.0])
    assert found.ece == pytest.approx((2 * 0.1 + 0.8 + 0.1) / 4)


def test_summary_by_hand() -> None:
    found = calibration(PROBABILITIES, LABELS, bins=5)
    assert found.ece == pytest.approx(0.275)
    assert found.brier == pytest.approx(2 * (0.1**2 + 0.8**2 + 0.4**2 + 0.6**2) / 4)
    assert found.confidence == pytest.approx(0.725)
    assert found.accuracy == 0.5
    assert found.over_confidence == pytest.approx(0.225)
    assert found.n == 4


def test_fifteen_bins_by_default() -> None:
    assert len(reliability(PROBABILITIES, LABELS).count) == 15


def test_three_classes_by_hand() -> None:
    probabilities = np.array([[0.2, 0.3, 0.5], [0.6, 0.4, 0.0]])
    labels = np.array([2, 1])
    assert brier_score(probabilities, labels) == pytest.approx((0.38 + 0.72) / 2)
    assert reliability(probabilities, labels, bins=2).count.tolist() == [1, 1]


def test_certain_and_right_has_no_error() -> None:
    labels = np.array([0, 1, 1])
    found = calibration(np.eye(2)[labels], labels)
    assert (found.ece, found.brier, found.over_confidence) == (0.0, 0.0, 0.0)


def test_certain_and_wrong_has_the_largest_error() -> None:
    labels = np.array([0, 1, 1])
    found = calibration(np.eye(2)[1 - labels], labels)
    assert (found.ece, found.brier, found.over_confidence) == (1.0, 2.0, 1.0)


def test_accuracy_equal_to_confidence_has_no_error() -> None:
    """Three of four right at a confidence of three quarters: perfectly calibrated, not certain."""
    found = calibration(two_classes([0.75] * 4), np.array([1, 1, 1, 0]))
    assert found.ece == pytest.approx(0.0)
    assert found.over_confidence == pytest.approx(0.0)
    assert found.brier == pytest.approx(2 * (3 * 0.25**2 + 0.75**2) / 4)


def test_errors_of_both_signs_do_not_cancel_in_the_calibration_error() -> None:
    probabilities = two_classes([0.6, 0.6, 0.9, 0.9])
    found = calibration(probabilities, np.array([1, 1, 1, 0]))
    assert found.over_confidence == pytest.approx(0.0)
    assert found.ece == pytest.approx(0.4)


def test_zero_belongs_to_the_first_bin() -> None:
    found = reliability(np.zeros((1, 1)), np.array([0]), bins=4)
    assert found.count.tolist() == [1, 0, 0, 0]


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_properties(examples) -> None:
    probabilities = two_classes([p for p, _ in examples])
    labels = np.array([int(label) for _, label in examples])
    bins = reliability(probabilities, labels)
    found = calibration(probabilities, labels)
    assert bins.count.sum() == found.n == len(examples)
    assert abs(found.over_confidence) <= found.ece + 1e-9  # the triangle inequality
    assert found.ece <= 1
    assert 0 <= found.brier <= 2
    assert np.nansum(bins.accuracy * bins.count) / found.n == pytest.approx(found.accuracy)


@pytest.mark.parametrize(
    ("probabilities", "labels"),
    [
        (np.zeros((0, 2)), np.zeros(0, dtype=int)),
        (np.zeros((2, 2)), np.zeros(3, dtype=int)),
        (np.zeros(2), np.zeros(2, dtype=int)),
    ],
)
def test_shapes_are_checked(probabilities, labels) -> None:
    for judge in (reliability, brier_score, calibration):
        with pytest.raises(ValueError, match=r"cannot judge .* probabilities"):
            judge(probabilities, labels)


def test_unlabelled_examples_are_refused() -> None:
    with pytest.raises(ValueError, match="unlabelled"):
        brier_score(PROBABILITIES, np.array([0, 1, -1, 0]))
