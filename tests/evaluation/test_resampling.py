import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from internal_kd.evaluation import metrics, resampling
from internal_kd.evaluation.resampling import (
    bootstrap_confusions,
    bootstrap_means,
    joint_cells,
    scores_of_confusions,
    swapped_confusions,
)


def whole(cells):
    return cells.confusions(cells.counts[None].astype(float))


def random_answers(n, models, seed, classes=2):
    rng = np.random.default_rng(seed)
    return rng.integers(classes, size=n), rng.integers(classes, size=(models, n))


def test_cells_count_examples_with_the_same_label_and_answers():
    labels = np.array([0, 1, 0, 1, 1])
    answers = np.array([[0, 1, 0, 0, 1], [1, 1, 1, 1, 1]])
    cells = joint_cells(labels, answers)
    assert sorted(cells.counts) == [1, 2, 2]
    assert cells.members[0] == cells.members[2]
    assert cells.members[1] == cells.members[4] != cells.members[3]
    np.testing.assert_array_equal(whole(cells)[0], [[[2, 0], [1, 2]], [[0, 2], [0, 3]]])


@given(st.integers(1, 40), st.integers(1, 4), st.integers(2, 3), st.integers(0, 10**6))
def test_scores_of_cells_are_those_of_the_metrics(n, models, classes, seed):
    labels, answers = random_answers(n, models, seed, classes)
    found = scores_of_confusions(whole(joint_cells(labels, answers)))
    for m in range(models):
        expected = metrics.score(labels, answers[m])
        assert {name: found[name][0, m] for name in expected} == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("answer", [0, 1])
def test_scores_of_one_class_only(label, answer):
    labels, answers = np.full(5, label), np.full((1, 5), answer)
    found = scores_of_confusions(whole(joint_cells(labels, answers)))
    expected = metrics.score(labels, answers[0])
    assert {name: values[0, 0] for name, values in found.items()} == pytest.approx(expected)


@pytest.mark.parametrize(
    ("labels", "answers", "message"),
    [
        (np.array([0, -1]), np.zeros((1, 2), int), "unlabelled"),
        (np.array([0, 1]), np.zeros((1, 3), int), "do not fit"),
        (np.array([], int), np.zeros((1, 0), int), "do not fit"),
    ],
)
def test_what_cannot_be_resampled_is_refused(labels, answers, message):
    with pytest.raises(ValueError, match=message):
        joint_cells(labels, answers)


@pytest.mark.parametrize("per_cell", [0, 10**9], ids=["multinomial", "rows"])
def test_bootstrap_draws_n_examples_in_their_shares(monkeypatch, per_cell):
    monkeypatch.setattr(resampling, "EXAMPLES_PER_CELL", per_cell)
    labels, answers = random_answers(50, 2, seed=1)
    cells = joint_cells(labels, answers)
    drawn = bootstrap_confusions(cells, 4000, np.random.default_rng(0))
    assert drawn.shape == (4000, 2, 2, 2)
    np.testing.assert_array_equal(drawn.sum(axis=(2, 3)), 50)
    np.testing.assert_allclose(drawn.mean(axis=0), whole(cells)[0], atol=0.35)
    share = whole(cells)[0, 0, 0, 0] / 50
    assert drawn[:, 0, 0, 0].std() == pytest.approx(np.sqrt(50 * share * (1 - share)), rel=0.05)


def test_chunks_change_neither_number_nor_size(monkeypatch):
    cells = joint_cells(*random_answers(30, 2, seed=2))
    monkeypatch.setattr(resampling, "CHUNK", 7 * len(cells.counts))
    drawn = bootstrap_confusions(cells, 20, np.random.default_rng(0))
    assert drawn.shape[0] == 20
    assert swapped_confusions(cells, 20, np.random.default_rng(0))[0].shape[0] == 20


def test_models_are_resampled_together():
    labels, answers = random_answers(40, 1, seed=3)
    cells = joint_cells(labels, np.concatenate([answers, answers]))
    drawn = bootstrap_confusions(cells, 100, np.random.default_rng(0))
    np.testing.assert_array_equal(drawn[:, 0], drawn[:, 1])


def test_swaps_keep_the_sum_and_touch_only_examples_that_differ():
    labels = np.array([0, 1, 1, 0])
    answers = np.array([[0, 1, 1, 0], [0, 1, 0, 0]])
    first, second = swapped_confusions(joint_cells(labels, answers), 200, np.random.default_rng(0))
    np.testing.assert_array_equal(first + second, [[[[4, 0], [1, 3]]]] * 200)
    assert set(first[:, 0, 1, 0]) == {0.0, 1.0}
    assert first[:, 0, 1, 0].mean() == pytest.approx(0.5, abs=0.12)


def test_all_seeds_of_an_example_are_swapped_at_once():
    labels = np.zeros(6, int)
    right, wrong = np.zeros((2, 6), int), np.ones((2, 6), int)
    cells = joint_cells(labels, np.concatenate([right, wrong]))
    first, _ = swapped_confusions(cells, 100, np.random.default_rng(0))
    np.testing.assert_array_equal(first[:, 0], first[:, 1])


def test_means_of_drawn_rows():
    values = np.column_stack([np.arange(10.0), np.arange(10.0) * 2 + 1])
    drawn = bootstrap_means(values, 3000, np.random.default_rng(0))
    np.testing.assert_allclose(drawn[:, 1], 2 * drawn[:, 0] + 1)
    assert drawn[:, 0].mean() == pytest.approx(4.5, abs=0.06)
    assert drawn[:, 0].std() == pytest.approx(values[:, 0].std() / np.sqrt(10), rel=0.05)


def test_same_seed_same_draws():
    cells = joint_cells(*random_answers(30, 2, seed=4))
    one, other = (bootstrap_confusions(cells, 9, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(one, other)
