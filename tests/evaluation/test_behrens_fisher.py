import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, stats

from internal_kd.evaluation.behrens_fisher import (
    Component,
    merged,
    two_sided_p,
    two_sided_quantile,
)

PAIRS = [
    (Component(1.0, 299), Component(0.5, 2)),
    (Component(1.0, 19), Component(0.5, 2)),
    (Component(1.0, 40_000), Component(10.0, 2)),
    (Component(1.0, 99), Component(1.0, 4)),
    (Component(1.0, 60), Component(3.0, 9)),
    (Component(1.0, 299), Component(1e-4, 2)),
]


def convolved(distance, first, second):
    """P(|X| >= distance) by the density of one t and the tail of the other."""
    errors = math.sqrt(first.variance), math.sqrt(second.variance)

    def integrand(y):
        beyond = stats.t.sf((distance - errors[1] * y) / errors[0], first.df)
        return stats.t.pdf(y, second.df) * beyond

    middle = distance / errors[1]
    ends = [-np.inf, middle - 10 / errors[1], middle, middle + 10 / errors[1], np.inf]
    pieces = [
        integrate.quad(integrand, *piece, epsabs=1e-14, limit=200) for piece in pairwise(ends)
    ]
    return 2 * sum(value for value, _ in pieces)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("distance", [1.0, 3.0, 8.0])
def test_probability_is_that_of_a_convolution(pair, distance):
    found = two_sided_p(distance, pair)
    assert found == pytest.approx(convolved(distance, *pair), rel=1e-5)
    assert two_sided_p(distance, pair[::-1]) == pytest.approx(found, rel=1e-12)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("p", [0.4, 0.05, 0.001, 1e-6])
def test_quantile_is_the_inverse(pair, p):
    assert two_sided_p(two_sided_quantile(p, pair), pair) == pytest.approx(p, rel=1e-8)


def test_one_variance_gives_a_t():
    one = [Component(4.0, 7)]
    assert two_sided_p(3.0, one) == pytest.approx(2 * stats.t.sf(1.5, 7))
    assert two_sided_quantile(0.05, one) == pytest.approx(2 * stats.t.isf(0.025, 7))
    assert two_sided_p(3.0, [*one, Component(0.0, 3)]) == two_sided_p(3.0, one)
    nearly = [*one, Component(1e-14, 3)]
    assert two_sided_p(3.0, nearly) == pytest.approx(two_sided_p(3.0, one), rel=1e-5)


def test_three_variances():
    parts = [Component(1.0, 200), Component(0.5, 2), Component(0.3, 4)]
    draw = np.random.default_rng(0)
    drawn = sum(math.sqrt(p.variance) * draw.standard_t(p.df, 400_000) for p in parts)
    assert two_sided_p(3.0, parts) == pytest.approx(np.mean(np.abs(drawn) > 3), rel=0.03)


def test_variances_of_one_kind():
    one = merged([Component(1.0, 2), Component(1.0, 2), Component(2.0, 4)])
    assert one == Component(4.0, 16 / (0.5 + 0.5 + 1.0))
    assert merged([Component(0.0, 2), Component(0.0, 3)]) == Component(0.0, 5)


@pytest.mark.parametrize("seeds", [3, 4, 5, 10])
@pytest.mark.parametrize("ratio", [0.1, 1.0, 10.0, 30.0, 100.0])
def test_no_level_is_exceeded_whatever_the_ratio_of_variances(seeds, ratio):
    """Rates of p below a level under the null, beside those of Satterthwaite's t.

    With three seeds and a ratio of 30 the latter is below 0.001 in more than one of a hundred.
    """
    draw, n = np.random.default_rng(int(10 * ratio) + seeds), 4000
    truth = ratio / seeds
    effects = draw.normal(0, math.sqrt(1 + truth), n)
    estimates = truth * draw.chisquare(seeds - 1, n) / (seeds - 1)
    found = np.array(
        [
            two_sided_p(abs(effect), (Component(1.0, 299), Component(estimate, seeds - 1)))
            for effect, estimate in zip(effects, estimates, strict=True)
        ]
    )
    for level in (0.05, 0.0125, 0.001):
        error = math.sqrt(level * (1 - level) / n)
        assert np.mean(found < level) < level + 3 * error
    total = 1 + estimates
    df = total**2 / (1 / 299 + estimates**2 / (seeds - 1))
    satterthwaite = 2 * stats.t.sf(np.abs(effects) / np.sqrt(total), df)
    if (seeds, ratio) == (3, 30.0):
        assert np.mean(satterthwaite < 0.001) > 0.01
