"""The test over examples and seeds, against its equation and under equal methods."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from internal_kd.evaluation.inference import (
    Component,
    Effect,
    benjamini_hochberg,
    benjamini_yekutieli,
    holm,
    mean_effect,
    over_seeds,
    paired_means,
    two_way,
)


def drawn(seeds=4, n=60, shift=0.0, seed=0):
    """Values of two models, [seeds, n] each, the first one better by `shift`."""
    rng = np.random.default_rng(seed)
    first, second = rng.normal(0, 1, (2, seeds, n)) + rng.normal(0, 0.2, (2, seeds, 1))
    return first + shift, second


def test_the_equation():
    """t = d / sqrt(A + B), df = (A + B)^2 / (A^2 / (n - 1) + B^2 / (S - 1)), in float64."""
    first, second = drawn(shift=0.5)
    seeds, n = first.shape
    d = first - second
    a = d.mean(axis=0).var(ddof=1) / n
    b = d.mean(axis=1).var(ddof=1) / seeds
    df = (a + b) ** 2 / (a**2 / (n - 1) + b**2 / (seeds - 1))
    t = d.mean() / math.sqrt(a + b)
    found = paired_means(first, second)
    assert found.value == pytest.approx(d.mean(), rel=1e-12)
    assert found.df == pytest.approx(df, rel=1e-12)
    assert found.p() == pytest.approx(2 * stats.t.sf(abs(t), df), rel=1e-10)
    half = stats.t.ppf(0.975, df) * math.sqrt(a + b)
    assert found.interval(0.95) == pytest.approx((d.mean() - half, d.mean() + half), rel=1e-10)
    power = stats.t.ppf(0.975, df) + stats.t.ppf(0.8, df)
    assert found.detectable(0.95) == pytest.approx(power * math.sqrt(a + b), rel=1e-10)


def test_one_seed_is_the_t_test_over_examples():
    first, second = drawn(seeds=1)
    found = paired_means(first, second)
    assert found.p() == pytest.approx(stats.ttest_rel(first[0], second[0]).pvalue)
    assert len(found.components) == 1


def test_without_variance_over_examples_it_is_the_t_test_over_seeds():
    values = np.array([0.1, 0.3, 0.2])
    found = two_way(values, 0.0, 100)
    assert found.p() == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
    assert over_seeds(values).p() == pytest.approx(found.p())


def test_swapped_models_give_the_opposite():
    first, second = drawn(shift=0.3)
    there, back = paired_means(first, second), paired_means(second, first)
    assert back.value == pytest.approx(-there.value)
    assert back.p() == pytest.approx(there.p())
    assert back.interval(0.9)[0] == pytest.approx(-there.interval(0.9)[1])
    assert there.opposite() == Effect(-there.value, there.components, there.n, there.seeds)


@given(st.floats(-2, 2), st.floats(0.01, 1), st.floats(0.01, 1), st.floats(-1, 1))
def test_p_and_interval_agree(value, a, b, bound):
    effect = Effect(value, (Component(a, 99), Component(b, 2)), 100, 3)
    low, high = effect.interval(0.95)
    assert (effect.p(bound) < 0.05) == (not low <= bound <= high)
    assert (effect.p_above(bound) < 0.05) == (low > bound)


def test_p_above_takes_the_side_of_the_claim():
    better = Effect(0.5, (Component(0.01, 50),), 51, 3)
    assert better.p_above() == better.p() < 0.001
    assert better.opposite().p_above() == 1


def test_nothing_varies():
    same, other = two_way([0.0, 0.0, 0.0], 0.0, 9), two_way([0.1, 0.1, 0.1], 0.0, 9)
    assert same.p() == 1
    assert same.interval(0.95) == (0, 0)
    assert math.isnan(other.p())
    assert math.isnan(other.interval(0.95)[0])
    assert math.isnan(other.detectable(0.95))
    assert math.isnan(other.p_above())


def test_one_example_or_one_seed_without_examples_knows_no_variance():
    assert math.isnan(paired_means(np.ones((3, 1)), np.zeros((3, 1))).p())
    assert math.isnan(over_seeds([0.3]).p())


def test_verdicts_need_three_seeds():
    assert [two_way(np.arange(s), 1.0, 9).can_be_judged for s in (1, 2, 3)] == [False, False, True]


def test_the_mean_of_effects_adds_their_variances():
    one, other = two_way([1.0, 2.0], 0.5, 10), two_way([3.0, 6.0, 3.0], 0.1, 20)
    found = mean_effect([one, other])
    assert found.value == pytest.approx((1.5 + 4) / 2)
    assert found.error**2 == pytest.approx((one.error**2 + other.error**2) / 4)
    assert (found.n, found.seeds) == (30, 2)
    below = sum(c.variance**2 / c.df for e in (one, other) for c in e.components) / 16
    assert found.df == pytest.approx(found.error**4 / below)
    assert mean_effect([one]) == one


@pytest.mark.parametrize("seeds", [3, 5])
def test_the_detectable_difference_is_found_in_four_of_five(seeds):
    """Simulated from known variances: means over n = 200 examples, seeds that spread as far."""
    rng, sd = np.random.default_rng(1), 0.07
    df = Effect(0, (Component(0.005, 199), Component(sd**2 / seeds, seeds - 1)), 200, seeds)
    true = df.detectable(0.95)
    found = 0
    for _ in range(1500):
        by_seed = true + rng.normal(0, math.sqrt(0.005)) + rng.normal(0, sd, seeds)
        found += two_way(by_seed, 0.005 * rng.chisquare(199) / 199, 200).p() < 0.05
    assert 0.74 <= found / 1500 <= 0.86


def test_holm_by_hand():
    found = holm([0.01, 0.04, math.nan, 0.03, 0.005])
    np.testing.assert_allclose(found, [0.03, 0.06, math.nan, 0.06, 0.02])
    assert list(holm([0.6, 0.7])) == [1.0, 1.0]
    assert len(holm([])) == 0


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_is_between_the_p_and_bonferroni(p_values):
    found = holm(p_values)
    assert np.all(found >= np.array(p_values))
    assert np.all(found <= np.minimum(1, np.array(p_values) * max(1, len(p_values))) + 1e-15)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_false_discovery_rates_are_scipys(p_values):
    for adjust, method in ((benjamini_hochberg, "bh"), (benjamini_yekutieli, "by")):
        expected = stats.false_discovery_control(p_values, method=method)
        np.testing.assert_allclose(adjust(p_values), expected, atol=1e-15)


def test_unknown_p_values_do_not_count():
    for adjust in (benjamini_hochberg, benjamini_yekutieli):
        found = adjust([0.01, math.nan, 0.04])
        assert math.isnan(found[1])
        np.testing.assert_allclose(found[[0, 2]], adjust([0.01, 0.04]))
