import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from internal_kd.evaluation.behrens_fisher import Component, two_sided_p
from internal_kd.evaluation.inference import (
    Effect,
    benjamini_hochberg,
    benjamini_yekutieli,
    family,
    holm,
    mean_effect,
    over_seeds,
    paired_means,
    two_way,
)

BY_SEED = [0.02, 0.05, 0.08, 0.03]


def test_variances_of_a_mean_over_seeds_and_examples():
    draw = np.random.default_rng(0)
    first, second = draw.normal(0.3, 1, (4, 50)), draw.normal(0, 1, (4, 50))
    found = paired_means(first, second)
    gain = first - second
    assert found.value == pytest.approx(gain.mean())
    examples = Component(float(gain.mean(axis=0).var(ddof=1)) / 50, 49)
    seeds = Component(float(gain.mean(axis=1).var(ddof=1)) / 4, 3)
    assert found.components == (examples, seeds)
    assert found.error == pytest.approx(math.sqrt(examples.variance + seeds.variance))
    a, b = examples.variance, seeds.variance
    df = (a + b) ** 2 / (a**2 / 49 + b**2 / 3)
    assert found.df == pytest.approx(df)
    assert found.p() == pytest.approx(2 * stats.t.sf(abs(found.value) / math.sqrt(a + b), df))
    half = stats.t.isf(0.025, df) * math.sqrt(a + b)
    expected = (found.value - half, found.value + half)
    assert found.interval(0.95) == pytest.approx(expected)


def test_adjustments_start_from_the_wider_distribution():
    effect = two_way(BY_SEED, 0.0002, 300)
    assert effect.tail_p == two_sided_p(abs(effect.value), effect.components) > effect.p()
    assert effect.p(level=0.01) == effect.tail_p
    assert family([effect.p()] * 2, [effect.tail_p] * 2) == [effect.tail_p] * 2
    assert family([effect.p()], [effect.tail_p]) == [effect.p()]
    assert family([effect.p(), math.nan], [effect.tail_p, math.nan])[0] == effect.p()


def test_what_varies_over_one_thing_has_students_t_at_every_level():
    effect = over_seeds(BY_SEED)
    assert effect.tail_p == pytest.approx(effect.p())


def drawn(seeds=4, n=60, shift=0.0):
    """Values of two models, [seeds, n] each, the first one better by `shift`."""
    rng = np.random.default_rng(0)
    first, second = rng.normal(0, 1, (2, seeds, n)) + rng.normal(0, 0.2, (2, seeds, 1))
    return first + shift, second


def test_one_seed_is_the_t_test_over_examples():
    first, second = drawn(seeds=1)
    found = paired_means(first, second)
    assert found.p() == pytest.approx(stats.ttest_rel(first[0], second[0]).pvalue)
    assert len(found.components) == 1


def test_swapped_models_give_the_opposite():
    first, second = drawn(shift=0.3)
    there, back = paired_means(first, second), paired_means(second, first)
    assert back.value == pytest.approx(-there.value)
    assert back.p() == pytest.approx(there.p())
    assert back.interval(0.9)[0] == pytest.approx(-there.interval(0.9)[1])
    assert there.opposite() == Effect(-there.value, there.components, there.n, there.seeds)


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.999])
def test_interval_and_p_agree(confidence):
    effect = two_way(BY_SEED, 0.0002, 300)
    low, high = effect.interval(confidence)
    for end in (low, high):
        assert effect.p(end, 1 - confidence) == pytest.approx(1 - confidence, rel=1e-6)
    assert (low + high) / 2 == pytest.approx(effect.value)


def test_direction():
    effect = two_way(BY_SEED, 0.0002, 300)
    assert effect.p_above() == effect.p() < 1
    assert effect.p_above(0.1) == 1.0 > effect.p(0.1)
    opposite = effect.opposite()
    assert opposite.p_above() == 1.0
    assert opposite.p_above(-0.1) == effect.p(0.1)
    assert opposite.interval(0.9) == tuple(-end for end in reversed(effect.interval(0.9)))


def test_mean_over_seeds_has_a_t_interval():
    low, high = over_seeds(BY_SEED).interval(0.95)
    expected = stats.t.interval(0.95, 3, np.mean(BY_SEED), stats.sem(BY_SEED))
    assert (low, high) == (pytest.approx(expected[0]), pytest.approx(expected[1]))


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_one_seed_alone_has_neither_interval_nor_p(value):
    effect = over_seeds([value])
    assert effect.value == value
    unknown = [*effect.interval(0.95), effect.p(), effect.p_above(), effect.detectable(0.95)]
    assert np.isnan(unknown).all()


def test_what_does_not_vary():
    none, some = over_seeds([0.0] * 3), over_seeds([0.1] * 3)
    assert (none.interval(0.95), none.p()) == ((0.0, 0.0), 1.0)
    assert np.isnan([*some.interval(0.95), some.p(), none.p(0.05)]).all()


def test_an_unknown_variance_over_examples():
    effect = two_way(BY_SEED, math.nan, 1)
    assert np.isnan([*effect.interval(0.95), effect.p(), effect.detectable(0.95)]).all()


def test_the_detectable_effect_would_be_found_in_four_of_five():
    effect = Effect(0.0, (Component(0.01**2, 1e6),), 1000, 3)
    expected = stats.norm.isf(0.025) + stats.norm.isf(0.2)
    assert effect.detectable(0.95) == pytest.approx(0.01 * expected, rel=1e-4)
    assert two_way(BY_SEED, 0.0002, 300).detectable(0.95) > effect.detectable(0.95)


@pytest.mark.parametrize("seeds", [3, 5])
def test_the_detectable_effect_is_found_in_four_of_five_simulations(seeds):
    """Means over 200 examples, with seeds that spread as far as these."""
    rng, a, sd = np.random.default_rng(1), 0.005, 0.07
    parts = (Component(a, 199), Component(sd**2 / seeds, seeds - 1))
    true, found = Effect(0, parts, 200, seeds).detectable(0.95), 0
    for _ in range(1500):
        by_seed = true + rng.normal(0, math.sqrt(a)) + rng.normal(0, sd, seeds)
        found += two_way(by_seed, a * rng.chisquare(199) / 199, 200).p() < 0.05
    assert 0.74 <= found / 1500 <= 0.86


def test_mean_of_effects():
    one, two = two_way(BY_SEED, 0.0002, 300), two_way([0.1, 0.3, 0.2], 0.0004, 100)
    found = mean_effect([one, two])
    assert found.value == pytest.approx((one.value + two.value) / 2)
    assert found.error == pytest.approx(math.hypot(one.error, two.error) / 2)
    assert (found.n, found.seeds) == (400, 3)
    assert len(found.components) == 2
    same = mean_effect([one])
    assert same.value == one.value
    assert same.p() == pytest.approx(one.p())
    half = mean_effect([one, one])
    assert [part.df for part in half.components] == pytest.approx([2 * 299, 2 * 3])


def test_mean_of_effects_of_which_one_has_a_single_seed():
    found = mean_effect([two_way(BY_SEED, 0.0002, 300), two_way([0.1], 0.0004, 100)])
    assert found.seeds == 1
    assert found.components[0].variance == pytest.approx((0.0002 + 0.0004) / 4)
    assert found.components[1] == pytest.approx(Component(np.var(BY_SEED, ddof=1) / 16, 3))


def test_enough_seeds_for_a_verdict():
    assert [two_way([0.1] * seeds, 0.1, 9).can_be_judged for seeds in (1, 2, 3)] == [
        False,
        False,
        True,
    ]


P_VALUES = [0.01, math.nan, 0.04, 0.03, 0.5]


@pytest.mark.parametrize(
    ("adjust", "expected"),
    [
        (holm, [0.04, math.nan, 0.09, 0.09, 0.5]),
        (benjamini_hochberg, [0.04, math.nan, 0.16 / 3, 0.16 / 3, 0.5]),
        (benjamini_yekutieli, [0.04 * 25 / 12, math.nan, 1 / 9, 1 / 9, 1.0]),
    ],
)
def test_adjustments_by_hand(adjust, expected):
    np.testing.assert_allclose(adjust(P_VALUES), expected)


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg, benjamini_yekutieli])
def test_adjustments_of_nothing(adjust):
    assert list(adjust([])) == []
    assert np.isnan(adjust([math.nan])).all()


@pytest.mark.parametrize(
    ("adjust", "method"), [(benjamini_hochberg, "bh"), (benjamini_yekutieli, "by")]
)
def test_false_discovery_rates_as_in_scipy(adjust, method):
    p = np.random.default_rng(0).uniform(0, 0.3, 40)
    expected = stats.false_discovery_control(p, method=method)
    np.testing.assert_allclose(adjust(p), expected)


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_is_between_the_p_and_bonferroni(p_values):
    found = holm(p_values)
    assert np.all(found >= np.array(p_values))
    assert np.all(found <= np.minimum(1, np.array(p_values) * max(1, len(p_values))) + 1e-15)
