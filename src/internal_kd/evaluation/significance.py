"""Paired tests as papers use them, of two models A and B on the same n examples.

They take either the examples or the seeds as the only source of chance, and so call equal methods
different too often; `inference` takes both into account. Effects are A minus B, all tests are
two-sided. A model trained with several seeds is represented by the mean over its seeds – of an
example's correctness, or of the score on a resample – so that more seeds never count as more
examples.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats

from internal_kd.evaluation.behrens_fisher import Component
from internal_kd.evaluation.inference import SAME, Effect
from internal_kd.evaluation.resampling import (
    Cells,
    Floats,
    Ints,
    bootstrap_confusions,
    joint_cells,
    scores_of_confusions,
    swapped_confusions,
)


@dataclass(frozen=True)
class TestResult:
    """What a test found.

    Attributes:
        effect: A minus B.
        low: lower end of the effect's interval, NaN where the test has none.
        high: its upper end.
        p: two-sided, NaN where the test is not defined.
        n: units, examples or seeds.
    """

    __test__ = False  # not a class of tests for pytest, despite its name

    effect: float
    low: float
    high: float
    p: float
    n: int


@dataclass(frozen=True)
class Answers:
    """Answers of two models.

    Attributes:
        labels: [n], from 0.
        first: predictions of A, [seeds, n].
        second: predictions of B, [seeds, n], row for row of the same seeds.

    Raises:
        ValueError: the shapes do not fit.
    """

    labels: Ints
    first: Ints
    second: Ints

    def __post_init__(self) -> None:
        if self.first.shape != self.second.shape:
            raise ValueError(f"{self.first.shape} answers against {self.second.shape}")

    def correctness(self) -> tuple[Floats, Floats]:
        """Share of the seeds of A and of B that are right on each example, [n] each."""
        return (
            (self.first == self.labels).mean(axis=0),
            (self.second == self.labels).mean(axis=0),
        )

    def scores(self) -> tuple[dict[str, Floats], dict[str, Floats]]:
        """Scores of each seed of A and of B by metric, [seeds] each."""
        cells, seeds = self.cells, len(self.first)
        found = scores_of_confusions(cells.confusions(cells.counts[None].astype(float)))
        return (
            {metric: values[0, :seeds] for metric, values in found.items()},
            {metric: values[0, seeds:] for metric, values in found.items()},
        )

    @cached_property
    def cells(self) -> Cells:
        """Examples by label and answers, the seeds of A before those of B."""
        return joint_cells(self.labels, np.concatenate([self.first, self.second]))


def paired_t_test(first: Floats, second: Floats, confidence: float) -> TestResult:
    """Student's t-test of paired values, the test the paper names (Experimental Setup).

    Differences that are all 0 give p = 1. The test is not defined for fewer than two pairs, or
    where all differences are the same other number: p and interval are NaN.

    Args:
        first: values of A, [n]: correctness of examples, or scores of seeds.
        second: values of B, [n].
        confidence: of the interval of the mean difference, such as 0.95.
    """
    differences = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    n = len(differences)
    parts = (Component(float(differences.var(ddof=1)) / n, n - 1),) if n > 1 else ()
    found = Effect(float(differences.mean()), parts, n, seeds=1)
    return TestResult(found.value, *found.interval(confidence), found.p(), n)


def mcnemar(first: Floats, second: Floats) -> TestResult:
    """McNemar's exact test: the binomial test of the examples on which A and B differ.

    With several seeds those on which one is right for more seeds than the other; this is the exact
    sign test. No such example gives p = 1. The effect is the share of examples in favour of A minus
    the share in favour of B.

    Args:
        first: correctness of A, [n], a mean over seeds.
        second: correctness of B, [n].
    """
    differences = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    better, worse = int(np.sum(differences > SAME)), int(np.sum(differences < -SAME))
    n = len(differences)
    p = float(stats.binomtest(better, better + worse).pvalue) if better + worse else 1.0
    return TestResult((better - worse) / n, math.nan, math.nan, p, n)


def permutation_test(
    answers: Answers, resamples: int, rng: np.random.Generator
) -> dict[str, TestResult]:
    """Approximate randomisation of every metric: A and B are swapped on random examples.

    p = (r + 1) / (R + 1), where r of R random swaps give an effect at least as large in size as
    the one observed.
    """
    cells = answers.cells
    observed = _observed(cells)
    first, second = swapped_confusions(cells, resamples, rng)
    means = [_mean_scores(part) for part in (first, second)]
    return {
        metric: TestResult(
            effect,
            math.nan,
            math.nan,
            _p_value(means[0][metric] - means[1][metric], effect),
            len(answers.labels),
        )
        for metric, effect in observed.items()
    }


def bootstrap_test(
    answers: Answers, resamples: int, confidence: float, rng: np.random.Generator
) -> dict[str, TestResult]:
    """Paired bootstrap of every metric over examples, with percentile intervals.

    The effects of the resamples scatter around the observed effect, not around 0. To stand for the
    null hypothesis they are centred first (Berg-Kirkpatrick et al. 2012; Dror et al. 2018):
    p = (r + 1) / (R + 1), where r of R lie at least as far from the observed effect as that lies
    from 0.
    """
    cells = answers.cells
    confusions = bootstrap_confusions(cells, resamples, rng)
    effects = _effects(confusions)
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    found = {}
    for metric, effect in _observed(cells).items():
        low, high = np.quantile(effects[metric], tails)
        p = _p_value(effects[metric] - effect, effect)
        found[metric] = TestResult(effect, float(low), float(high), p, len(answers.labels))
    return found


def _observed(cells: Cells) -> dict[str, float]:
    effects = _effects(cells.confusions(cells.counts[None].astype(float)))
    return {metric: float(values[0]) for metric, values in effects.items()}


def _effects(confusions: Floats) -> dict[str, Floats]:
    half = confusions.shape[1] // 2
    first, second = _mean_scores(confusions[:, :half]), _mean_scores(confusions[:, half:])
    return {metric: first[metric] - second[metric] for metric in first}


def _mean_scores(confusions: Floats) -> dict[str, Floats]:
    """Scores [resamples] as a mean over seeds, of confusions [resamples, seeds, ...]."""
    return {name: value.mean(axis=1) for name, value in scores_of_confusions(confusions).items()}


def _p_value(under_null: Floats, effect: float) -> float:
    extreme = np.sum(np.abs(under_null) >= abs(effect) - SAME)
    return float((extreme + 1) / (len(under_null) + 1))
