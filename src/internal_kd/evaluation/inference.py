"""The test that verdicts rest on: a difference over examples and over student seeds together.

Tests over examples hold the trained models fixed, tests over seeds hold the examples fixed; each
alone calls equal methods different far too often. Here both variances add up (Satterthwaite 1946):

    t = d / sqrt(A + B),  df = (A + B)^2 / (A^2 / (n - 1) + B^2 / (S - 1))

with d the effect, A its variance over n examples (seeds kept as they are, averaged) and B its
variance over S seeds (the variance between seeds divided by S). It generalises to new examples and
new student seeds. With one teacher it is conditional on that teacher.

That t is right at levels of 5 % and more. Its tails are too light: with three seeds p < 0.001 comes
in up to 1.6 % of cases. At lower levels, where several tests are adjusted, d is compared with
sqrt(A) t_(n-1) + sqrt(B) t_(S-1) instead (Behrens and Fisher), which is wider.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
import numpy.typing as npt

from internal_kd.evaluation.behrens_fisher import (
    Component,
    merged,
    two_sided_p,
    two_sided_quantile,
)

Floats = npt.NDArray[np.float64]

SAME = 1e-12  # differences below this are rounding
LEVEL = 0.05  # lowest level at which Satterthwaite's t is right
POWER = 0.8  # with which the smallest detectable difference would have been found
SEEDS_FOR_VERDICTS = 3  # fewer give hints


@dataclass(frozen=True)
class Effect:
    """An effect with all that its uncertainty consists of.

    Attributes:
        value: the effect, such as a difference of scores from 0 to 1.
        components: its independent variances, over examples and, from two seeds on, over seeds.
        n: examples.
        seeds: student seeds.
    """

    value: float
    components: tuple[Component, ...]
    n: int
    seeds: int

    @property
    def error(self) -> float:
        """Standard error of the effect."""
        return math.sqrt(sum(part.variance for part in self.components))

    @property
    def df(self) -> float:
        """Degrees of freedom (Satterthwaite); NaN where nothing varies."""
        return merged(self.components).df if self._known and self.error > SAME else math.nan

    @property
    def can_be_judged(self) -> bool:
        """Whether there are seeds enough for a verdict."""
        return self.seeds >= SEEDS_FOR_VERDICTS

    def interval(self, confidence: float) -> tuple[float, float]:
        """Both ends of the two-sided interval; NaN where no variance is known, or where nothing
        varies but the effect is not 0.
        """
        if not self._known:
            return math.nan, math.nan
        if self.error <= SAME:
            none = abs(self.value) <= SAME
            return (self.value, self.value) if none else (math.nan, math.nan)
        level = 1 - confidence
        half = two_sided_quantile(level, self._compared_at(level))
        return self.value - half, self.value + half

    def p(self, bound: float = 0.0, level: float = LEVEL) -> float:
        """Two-sided p of the effect being `bound`, to be compared with `level`.

        It is below the level exactly where the interval of the confidence 1 - level excludes the
        bound. 1 where nothing varies and the effect is the bound, else NaN; NaN where no variance
        is known, as over one seed.
        """
        if not self._known:
            return math.nan
        if self.error <= SAME:
            return 1.0 if abs(self.value - bound) <= SAME else math.nan
        return two_sided_p(abs(self.value - bound), self._compared_at(level))

    @property
    def tail_p(self) -> float:
        """Two-sided p of no effect that adjustments for several tests start from."""
        return self.p(level=0.0)

    def p_above(self, bound: float = 0.0, level: float = LEVEL) -> float:
        """p of the claim that the effect is above `bound`: `p` on that side, 1 on the other.

        Twice the one-sided p, at most 1, so that it is below the level exactly where the two-sided
        interval of the confidence 1 - level lies above the bound.
        """
        p = self.p(bound, level)
        return p if self.value > bound or math.isnan(p) else 1.0

    def detectable(self, confidence: float) -> float:
        """Smallest size of an effect that the test at this confidence would have found with a
        probability of 80 % (`POWER`); NaN where nothing varies.
        """
        if not self._known or self.error <= SAME:
            return math.nan
        levels = 1 - confidence, 2 * (1 - POWER)
        return sum(two_sided_quantile(level, self._compared_at(level)) for level in levels)

    def _compared_at(self, level: float) -> tuple[Component, ...]:
        """The variances that a test at a level takes apart: none from `LEVEL` on."""
        return (merged(self.components),) if level > LEVEL - SAME else self.components

    @property
    def _known(self) -> bool:
        """Whether all variances are."""
        return bool(self.components) and not math.isnan(self.error)

    def opposite(self) -> "Effect":
        """The effect with the other sign."""
        return Effect(-self.value, self.components, self.n, self.seeds)


def two_way(by_seed: npt.ArrayLike, example_variance: float, n: int) -> Effect:
    """The mean over seeds with its variance over examples and seeds.

    Args:
        by_seed: the effect for each student seed on all examples, [S]. For seeds that share a
            teacher the teacher's part is not in their spread.
        example_variance: A, the variance over examples of the effect averaged over seeds: s^2 / n
            of per-example differences, or the variance of a paired bootstrap that keeps the seeds.
        n: examples.
    """
    values = np.asarray(by_seed, dtype=float)
    seeds = len(values)
    parts = [Component(example_variance, n - 1)]
    if seeds > 1:
        parts.append(Component(float(values.var(ddof=1)) / seeds, seeds - 1))
    return Effect(float(values.mean()), tuple(parts), n, seeds)


def over_seeds(by_seed: npt.ArrayLike) -> Effect:
    """The mean over seeds of a value that has no examples, with its variance over seeds."""
    values = np.asarray(by_seed, dtype=float)
    seeds = len(values)
    parts = (Component(float(values.var(ddof=1)) / seeds, seeds - 1),) if seeds > 1 else ()
    return Effect(float(values.mean()), parts, seeds, seeds)


def mean_effect(effects: Sequence[Effect]) -> Effect:
    """The mean of independent effects, such as of one comparison on several tasks.

    Their variances over examples are taken together, and so are those over seeds.
    """
    count = len(effects)
    kinds = zip_longest(*(effect.components for effect in effects))
    sums = [merged([part for part in parts if part is not None]) for parts in kinds]
    return Effect(
        float(np.mean([effect.value for effect in effects])),
        tuple(Component(part.variance / count**2, part.df) for part in sums),
        sum(effect.n for effect in effects),
        min(effect.seeds for effect in effects),
    )


def independent_difference(first: Effect, second: Effect) -> Effect:
    """One of two independent effects minus the other, such as of one comparison on two tasks."""
    half = mean_effect([first, second.opposite()])
    parts = tuple(Component(4 * part.variance, part.df) for part in half.components)
    return Effect(2 * half.value, parts, half.n, half.seeds)


def paired_means(first: Floats, second: Floats) -> Effect:
    """Effect of means over examples, such as accuracy: `first` minus `second`, [S, n] each."""
    differences = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    n = differences.shape[1]
    variance = float(differences.mean(axis=0).var(ddof=1)) / n if n > 1 else math.nan
    return two_way(differences.mean(axis=1), variance, n)


def family(p: Sequence[float], tail_p: Sequence[float]) -> list[float]:
    """The p-values that an adjustment of these tests starts from.

    Several tests are adjusted at levels below `LEVEL`, which `p` is not made for; a single one is
    not adjusted at all.
    """
    several = np.sum(~np.isnan(np.asarray(p, dtype=float))) > 1
    return list(tail_p if several else p)


def holm(p_values: Sequence[float]) -> Floats:
    """Holm's step-down adjustment (1979); NaN stays and does not count."""
    p, order = _ordered(p_values)
    factors = len(order) - np.arange(len(order))
    return _placed(p, order, np.maximum.accumulate(p[order] * factors))


def benjamini_hochberg(p_values: Sequence[float]) -> Floats:
    """Adjustment for the false discovery rate (Benjamini and Hochberg 1995); NaN stays."""
    return _step_up(p_values, 1.0)


def benjamini_yekutieli(p_values: Sequence[float]) -> Floats:
    """The same under any dependence of the tests (Benjamini and Yekutieli 2001)."""
    count = int(np.sum(~np.isnan(np.asarray(p_values, dtype=float))))
    return _step_up(p_values, float(np.sum(1 / np.arange(1, count + 1))))


def _step_up(p_values: Sequence[float], factor: float) -> Floats:
    p, order = _ordered(p_values)
    factors = factor * len(order) / np.arange(1, len(order) + 1)
    return _placed(p, order, np.minimum.accumulate((p[order] * factors)[::-1])[::-1])


def _ordered(p_values: Sequence[float]) -> tuple[Floats, npt.NDArray[np.intp]]:
    """The p-values, and the positions of those that are known, ascending by p."""
    p = np.asarray(p_values, dtype=float)
    known = np.flatnonzero(~np.isnan(p))
    return p, known[np.argsort(p[known], kind="stable")]


def _placed(p: Floats, order: npt.NDArray[np.intp], adjusted: Floats) -> Floats:
    placed = np.full(p.shape, math.nan)
    placed[order] = np.minimum(1.0, adjusted)
    return placed
