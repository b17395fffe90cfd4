import itertools
import math

import numpy as np
import pytest
from scipy import stats

from internal_kd.evaluation import metrics
from internal_kd.evaluation.significance import (
    Answers,
    bootstrap_test,
    mcnemar,
    paired_t_test,
    permutation_test,
)


def rng():
    return np.random.default_rng(0)


def answers_of(accuracies, n=400, seed=0, seeds=1):
    """Two models that are right with these probabilities, given the example's difficulty."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(2, size=n)
    right = [draw.random((seeds, n)) < accuracy for accuracy in accuracies]
    first, second = (np.where(found, labels, 1 - labels) for found in right)
    return Answers(labels, first, second)


def all_tests(answers, resamples=2000):
    first, second = answers.correctness()
    return {
        "t": paired_t_test(first, second, 0.95),
        "mcnemar": mcnemar(first, second),
        **{f"permutation {k}": r for k, r in permutation_test(answers, resamples, rng()).items()},
        **{f"bootstrap {k}": r for k, r in bootstrap_test(answers, resamples, 0.95, rng()).items()},
    }


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_better_first_model_has_positive_effects_and_small_p(seeds):
    for name, found in all_tests(answers_of((0.9, 0.7), seeds=seeds)).items():
        assert found.effect > 0.1, name
        assert found.p < 0.001, name
        assert found.n == 400
        if not math.isnan(found.low):
            assert 0 < found.low < found.effect < found.high


def test_swapped_models_give_the_opposite():
    one = answers_of((0.8, 0.75))
    there, back = all_tests(one, 20_000), all_tests(Answers(one.labels, one.second, one.first))
    for name, found in there.items():
        assert back[name].effect == pytest.approx(-found.effect), name
        assert back[name].p == pytest.approx(found.p, abs=0.04), name
    assert back["t"].low == pytest.approx(-there["t"].high)
    assert back["bootstrap mcc"].low == pytest.approx(-there["bootstrap mcc"].high, abs=0.01)


def test_identical_models_have_no_effect():
    one = answers_of((0.8, 0.7), seeds=2)
    for found in all_tests(Answers(one.labels, one.first, one.first)).values():
        assert found.effect == 0
        assert found.p == 1


def test_t_test_by_hand():
    # differences 1, 0, 1, 0, -1, 1: mean 1/3, sum of squares 4 - 6/9, s = sqrt(10/3/5)
    found = paired_t_test(np.array([1, 1, 1, 0, 0, 1]), np.array([0, 1, 0, 0, 1, 0]), 0.95)
    error = math.sqrt(10 / 3 / 5 / 6)
    assert found.effect == pytest.approx(1 / 3)
    assert found.p == pytest.approx(2 * stats.t.sf(1 / 3 / error, 5))
    assert found.high == pytest.approx(1 / 3 + 2.5705818 * error)
    assert found.low == pytest.approx(1 / 3 - 2.5705818 * error)
    assert found.n == 6


@pytest.mark.parametrize(("first", "second"), [([1.0], [0.0]), ([0.6, 0.7], [0.5, 0.6])])
def test_t_test_without_variance_is_not_defined(first, second):
    found = paired_t_test(np.array(first), np.array(second), 0.95)
    assert found.effect > 0
    assert math.isnan(found.p)
    assert math.isnan(found.low)


def test_mcnemar_by_hand():
    # 5 examples for A, 1 for B, 4 alike: p = 2 (C(6,0) + C(6,1)) / 2^6
    first = np.array([1, 1, 1, 1, 1, 0, 1, 1, 0, 0])
    second = np.array([0, 0, 0, 0, 0, 1, 1, 1, 0, 0])
    found = mcnemar(first, second)
    assert found.p == pytest.approx(14 / 64)
    assert found.effect == pytest.approx(0.4)


def test_mcnemar_without_discordant_examples():
    assert mcnemar(np.ones(4), np.ones(4)).p == 1


def test_mcnemar_of_seeds_counts_an_example_once():
    first = np.array([[1, 1], [1, 0], [0, 1]]).mean(axis=1)
    assert mcnemar(first, np.zeros(3)).p == pytest.approx(2 / 2**3)


def tiny():
    labels = np.array([0, 0, 1, 1, 1, 0])
    first = np.array([[0, 0, 1, 1, 1, 1], [0, 1, 1, 1, 0, 0]])
    second = np.array([[0, 1, 1, 0, 1, 1], [1, 1, 1, 0, 0, 0]])
    return Answers(labels, first, second)


def effect_of(labels, first, second, metric):
    score = metrics.METRICS[metric]
    return float(
        np.mean([score(labels, a) for a in first]) - np.mean([score(labels, b) for b in second])
    )


@pytest.mark.parametrize("metric", ["accuracy", "f1", "f1_weighted", "mcc"])
def test_permutation_agrees_with_all_swaps(metric):
    one = tiny()
    observed = effect_of(one.labels, one.first, one.second, metric)
    extreme = 0
    for swap in itertools.product([False, True], repeat=6):
        first = np.where(swap, one.second, one.first)
        second = np.where(swap, one.first, one.second)
        extreme += abs(effect_of(one.labels, first, second, metric)) >= abs(observed) - 1e-12
    found = permutation_test(one, 20_000, rng())[metric]
    assert found.effect == pytest.approx(observed)
    assert found.p == pytest.approx(extreme / 64, abs=0.015)


@pytest.mark.parametrize("metric", ["accuracy", "f1", "f1_weighted", "mcc"])
def test_bootstrap_agrees_with_a_loop(metric):
    one = tiny()
    observed, draw = effect_of(one.labels, one.first, one.second, metric), np.random.default_rng(7)
    rows = [draw.integers(6, size=6) for _ in range(4000)]
    effects = np.array(
        [effect_of(one.labels[r], one.first[:, r], one.second[:, r], metric) for r in rows]
    )
    extreme = np.mean(np.abs(effects - observed) >= abs(observed) - 1e-12)
    found = bootstrap_test(one, 20_000, 0.9, rng())[metric]
    assert found.p == pytest.approx(extreme, abs=0.03)
    for end, share in ((found.low, 0.05), (found.high, 0.95)):
        assert np.mean(effects < end - 1e-9) <= share + 0.02
        assert np.mean(effects <= end + 1e-9) >= share - 0.02


def test_smallest_p_of_resampling():
    answers = answers_of((1.0, 0.0), n=100)
    for found in (permutation_test(answers, 199, rng()), bootstrap_test(answers, 199, 0.95, rng())):
        assert found["accuracy"].p == pytest.approx(1 / 200)


def null_p_values(test, simulations=300, n=300):
    return np.array([test(answers_of((0.75, 0.75), n, seed)) for seed in range(simulations)])


@pytest.mark.parametrize(
    "test",
    [
        lambda a: paired_t_test(*a.correctness(), 0.95).p,
        lambda a: permutation_test(a, 499, np.random.default_rng(int(a.first.sum())))["mcc"].p,
        lambda a: bootstrap_test(a, 499, 0.95, np.random.default_rng(int(a.first.sum())))["mcc"].p,
    ],
    ids=["t", "permutation", "bootstrap"],
)
def test_p_is_uniform_without_a_difference(test):
    found = null_p_values(test)
    assert stats.kstest(found, "uniform").pvalue > 0.01
    assert 0.015 <= np.mean(found < 0.05) <= 0.09


def test_seeds_do_not_count_as_examples():
    one = answers_of((0.8, 0.75), n=150)
    many = Answers(one.labels, np.repeat(one.first, 5, axis=0), np.repeat(one.second, 5, axis=0))
    few, more = all_tests(one), all_tests(many)
    for name, found in few.items():
        assert more[name].p == pytest.approx(found.p, abs=0.04), name
    assert more["t"] == few["t"]


def test_scores_of_seeds_are_those_of_the_metrics():
    one = tiny()
    for found, predictions in zip(one.scores(), (one.first, one.second), strict=True):
        for metric, values in found.items():
            expected = [metrics.METRICS[metric](one.labels, seed) for seed in predictions]
            np.testing.assert_allclose(values, expected)


def test_answers_of_unequal_seeds_are_refused():
    with pytest.raises(ValueError, match="answers against"):
        Answers(np.zeros(3, int), np.zeros((2, 3), int), np.zeros((1, 3), int))


def test_confidence_widens_intervals():
    answers = answers_of((0.8, 0.7))
    first, second = answers.correctness()
    narrow, wide = (paired_t_test(first, second, c) for c in (0.8, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high
