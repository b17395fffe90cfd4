import math

import numpy as np
import pytest

from internal_kd.evaluation.behrens_fisher import Component
from internal_kd.evaluation.inference import Effect, over_seeds
from internal_kd.reporting.claims.claim import above, all_above, below, near_zero


def effect(value, error=0.01, seeds=3):
    """With so many degrees of freedom that the 95 % interval is 1.96 errors to each side."""
    return Effect(value, (Component(error**2, 1e9),), 300, seeds)


@pytest.mark.parametrize(
    ("value", "verdict", "p"),
    [
        (0.0197, "holds", 0.04884),
        (-0.0197, "does not hold", 1.0),
        (0.0195, "inconclusive", 0.05118),
        (0.0, "inconclusive", 1.0),
    ],
)
def test_effect_above_its_bound(value, verdict, p):
    for bound in (0.0, 1.0, -0.3):
        found = above(effect(value + bound), 0.95, bound)
        assert (found.verdict, found.p) == (verdict, pytest.approx(p, abs=1e-4))
        assert found.low - bound == pytest.approx(value - 0.0196, abs=1e-5)
        assert found.high - bound == pytest.approx(value + 0.0196, abs=1e-5)
        assert found.lead == pytest.approx(value)


@pytest.mark.parametrize(
    ("value", "verdict"), [(-0.01, "holds"), (0.03, "does not hold"), (0.0, "inconclusive")]
)
def test_effect_below_its_bound(value, verdict):
    found = below(effect(value), 0.95, 0.01)
    assert found.verdict == verdict
    assert found.low < found.value == value < found.high
    assert found.lead == pytest.approx(0.01 - value)
    assert (found.p < 0.05) == (verdict == "holds")


@pytest.mark.parametrize(
    ("value", "error", "verdict"),
    [
        (0.02, 0.01, "holds"),
        (0.0, 0.03, "inconclusive"),
        (-0.04, 0.01, "inconclusive"),
        (0.1, 0.01, "does not hold"),
        (-0.1, 0.01, "does not hold"),
    ],
)
def test_effect_near_zero(value, error, verdict):
    found = near_zero(effect(value, error), 0.95, 0.05)
    assert found.verdict == verdict
    assert (found.p < 0.05) == (verdict == "holds")


def test_near_zero_has_the_larger_p_of_two_one_sided_tests():
    found = near_zero(effect(0.02), 0.95, 0.05)
    assert found.p == pytest.approx(effect(0.02).opposite().p_above(-0.05))
    assert found.p > effect(0.02).p_above(-0.05)
    assert found.lead == pytest.approx(0.03)


@pytest.mark.parametrize("seeds", [1, 2])
def test_few_seeds_give_a_hint_and_no_p(seeds):
    for found in (
        above(effect(1.0, seeds=seeds), 0.95),
        near_zero(effect(0, seeds=seeds), 0.95, 1),
    ):
        assert found.verdict == "hint"
        assert math.isnan(found.p)
        assert found.low < found.high
        assert found.direction == "for the claim"


def test_one_that_is_not_clearly_above_keeps_all_from_holding():
    clear, unclear = effect(0.5), effect(0.01)
    found = all_above([clear, unclear], 0.95)
    assert found.verdict == "inconclusive"
    assert found.p == unclear.p_above()
    assert found.value == 0.01
    assert found.low == pytest.approx(0.01 - 0.0196, abs=1e-5)
    assert all_above([clear, effect(0.02)], 0.95).verdict == "holds"


def test_one_of_many_that_is_below_by_chance_does_not_refute_all():
    """2.2 errors below 0 are beyond 95 % of a single effect, but not of the lowest of seven."""
    low = effect(-0.022)
    assert above(low, 0.95).verdict == "does not hold"
    assert all_above([low, *[effect(0.5)] * 6], 0.95).verdict == "inconclusive"
    assert all_above([effect(-0.03), *[effect(0.5)] * 6], 0.95).verdict == "does not hold"


def test_ends_and_p_of_several_effects_may_come_from_different_ones():
    sharp, vague = effect(0.1, 0.001), effect(0.11, 0.1)
    found = all_above([sharp, vague], 0.95)
    assert (found.value, found.p) == (0.1, vague.p_above())
    assert found.low == vague.interval(0.95)[0]
    assert found.high == sharp.interval(0.975)[1]


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_nothing_that_varies_gives_a_hint(value):
    found = above(over_seeds([value] * 4), 0.95, bound=-0.05)
    assert found.verdict == "hint"
    assert math.isnan(found.p)
    assert found.direction == "for the claim"


def test_the_same_answers_everywhere_do_not_differ():
    found = above(over_seeds([0.0] * 3), 0.95)
    assert (found.verdict, found.p) == ("inconclusive", 1.0)
    assert found.direction == "at the bound of the claim"


def test_verdict_and_p_agree():
    draw = np.random.default_rng(0)
    for _ in range(200):
        effects = [over_seeds(draw.normal(0.1, 0.2, 3)) for _ in range(2)]
        for found in (all_above(effects, 0.9), below(effects[0], 0.9, 0.2)):
            assert (found.verdict == "holds") == (found.p < 0.1)
