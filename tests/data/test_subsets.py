import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from internal_kd.data.encoding import nested_stratified

LABELS = st.lists(st.integers(0, 2), min_size=3, max_size=300).map(np.array)
PERCENT = st.integers(1, 100)


@given(labels=LABELS, first=PERCENT, second=PERCENT, seed=st.integers(0, 5))
def test_smaller_parts_are_contained_in_larger_ones(labels, first, second, seed):
    small, large = (nested_stratified(labels, p, seed) for p in sorted((first, second)))
    assert set(small) <= set(large)


@given(labels=LABELS, percent=PERCENT, seed=st.integers(0, 5))
def test_parts_are_ascending_stratified_and_of_the_right_size(labels, percent, seed):
    rows = nested_stratified(labels, percent, seed)
    classes, counts = np.unique(labels, return_counts=True)
    assert (np.diff(rows) > 0).all()
    assert len(rows) == max(len(classes), round(len(labels) * percent / 100))
    share = len(rows) / len(labels)
    for label, count in zip(classes, counts, strict=True):
        kept = (labels[rows] == label).sum()
        assert kept >= 1
        assert abs(kept - share * count) <= len(classes)


def test_all_rows_in_order_at_100():
    labels = np.array([1, 0, 1, 1, 0])
    assert nested_stratified(labels, 100, seed=9).tolist() == [0, 1, 2, 3, 4]


def test_seed_decides():
    labels = np.arange(400) % 2
    parts = {tuple(nested_stratified(labels, 10, seed)) for seed in range(5)}
    assert len(parts) == 5
    assert nested_stratified(labels, 10, 0).tolist() == nested_stratified(labels, 10, 0).tolist()
