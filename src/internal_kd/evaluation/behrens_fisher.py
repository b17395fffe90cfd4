"""Distribution of an estimate with several variances, each estimated with few degrees of freedom.

The Behrens-Fisher distribution (Behrens 1929, Fisher 1935) is that of a sum of independent scaled
variables of Student's t,

    X = sum_k sqrt(v_k) t_k,  t_k with df_k degrees of freedom,

where v_k is the estimate of a variance of the estimate. Given the chi-squared variables w_k behind
the t_k it is normal with variance sum_k v_k df_k / w_k, so that its tails are integrals over them.

A single t with Satterthwaite's degrees of freedom for the sum of the v_k is lighter in its tails:
where three seeds agree by chance, it takes the sum for that of the many examples.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import gammainccinv, gammaincinv, ndtr, stdtr, stdtrit

Floats = npt.NDArray[np.float64]

MANY = 30  # degrees of freedom from which a chi-squared variable is a cube of a normal one
HERMITE = np.polynomial.hermite_e.hermegauss(5)
NODES = 90  # of the integral over a chi-squared variable of fewer
FAR = 1e-20  # probability beyond either end of that integral
SAME = 1e-10  # relative, of distances


@dataclass(frozen=True)
class Component:
    """A variance of an estimate, and the degrees of freedom that it was estimated with."""

    variance: float
    df: float


def two_sided_p(distance: float, components: Sequence[Component]) -> float:
    """Probability that X is at least as far from 0 as a distance, on either side."""
    parts = [part for part in components if part.variance > 0]
    if len(parts) == 1:
        return float(2 * stdtr(parts[0].df, -distance / math.sqrt(parts[0].variance)))
    variances, weights = _mixture(parts)
    return float(2 * weights @ ndtr(-distance / np.sqrt(variances)))


def two_sided_quantile(p: float, components: Sequence[Component]) -> float:
    """The distance from 0 that X reaches with a probability p, the inverse of `two_sided_p`."""
    parts = [part for part in components if part.variance > 0]
    if len(parts) == 1:
        return float(-stdtrit(parts[0].df, p / 2) * math.sqrt(parts[0].variance))
    nearest = max(two_sided_quantile(p, [part]) for part in parts)
    return _reached(p, nearest, *_mixture(parts))


def _reached(p: float, distance: float, variances: Floats, weights: Floats) -> float:
    """The same of a mixture by Newton's method, from a distance that is too small: the probability
    is convex in it, so that no step goes too far.
    """
    errors, step = np.sqrt(variances), math.inf
    densities = weights / errors * math.sqrt(2 / math.pi)
    while step > SAME * distance:
        z = distance / errors
        excess = 2 * weights @ ndtr(-z) - p
        step = float(excess / (densities @ np.exp(-(z**2) / 2)))
        distance += step
    return distance


def merged(components: Sequence[Component]) -> Component:
    """Independent variances of one kind as one (Satterthwaite 1946)."""
    total = sum(part.variance for part in components)
    if total <= 0:
        return Component(total, sum(part.df for part in components))
    below = sum(part.variance**2 / part.df for part in components)
    return Component(total, total**2 / below)


def _mixture(parts: Sequence[Component]) -> tuple[Floats, Floats]:
    """X as a mixture of normal variables: their variances and their weights."""
    variances, weights = np.zeros(1), np.ones(1)
    for part in parts:
        values, own = _chi_squared(part.df)
        variances = np.add.outer(variances, part.variance * part.df / values).ravel()
        weights = np.multiply.outer(weights, own).ravel()
    return variances, weights


@lru_cache(maxsize=256)
def _chi_squared(df: float) -> tuple[Floats, Floats]:
    """Values of a chi-squared variable, and weights with which functions of it are averaged."""
    return _by_cube(df) if df >= MANY else _by_logarithm(df)


def _by_cube(df: float) -> tuple[Floats, Floats]:
    """Its cube root is nearly normal (Wilson and Hilferty 1931): Gauss-Hermite quadrature."""
    nodes, weights = HERMITE
    spread = 2 / (9 * df)
    return df * (1 - spread + nodes * math.sqrt(spread)) ** 3, weights / weights.sum()


def _by_logarithm(df: float) -> tuple[Floats, Floats]:
    """Its logarithm has a smooth density that falls off at both ends: trapezoidal rule."""
    low, high = (math.log(2 * inverse(df / 2, FAR)) for inverse in (gammaincinv, gammainccinv))
    logs = np.linspace(low, high, NODES)
    density = df / 2 * logs - np.exp(logs) / 2
    weights = np.exp(density - density.max())
    return np.exp(logs), weights / weights.sum()
