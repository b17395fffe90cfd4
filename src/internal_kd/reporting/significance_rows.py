"""Rows of the tidy table of significance: what each test found in a comparison."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from internal_kd.evaluation.inference import Effect
from internal_kd.evaluation.significance import (
    Answers,
    TestResult,
    bootstrap_test,
    mcnemar,
    paired_t_test,
    permutation_test,
)
from internal_kd.reporting.comparisons import Comparison
from internal_kd.specs.reports import Inference

PRIMARY, EXPLORATORY, OTHER, PAPER = "primary", "exploratory", "other metrics", "as in the paper"
MEAN = "mean"  # over tasks, in place of a task
TWO_WAY = "two-way"
NOT_DEFINED = "the test is not defined: all differences are equal"
EXAMPLES_ONLY = "one seed: examples are the only source of chance"
ONE_SEED = "no data: one seed"


@dataclass(frozen=True)
class SignificanceRow:
    """A row of the tidy table, see `significance.build`; NaN stands for what was not found."""

    family: str
    task: str
    split: str
    experiment: str
    baseline: str
    same_start: bool
    metric: str
    test: str
    unit: str = ""
    seeds: int = 0
    effect: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    p_tail: float = math.nan
    p_holm: float = math.nan
    p_bh: float = math.nan
    p_by: float = math.nan
    detectable: float = math.nan
    n: int = 0
    verdict: str = ""
    remark: str = ""


def two_way_rows(
    comparison: Comparison, effects: Mapping[str, Effect], selection: str, confidence: float
) -> Iterator[SignificanceRow]:
    """The test over examples and seeds of every metric; `selection` is the task's."""
    for metric, effect in effects.items():
        family = EXPLORATORY if metric == selection else OTHER
        yield two_way_row(comparison, family, metric, effect, confidence)


def two_way_row(
    comparison: Comparison, family: str, metric: str, effect: Effect, confidence: float
) -> SignificanceRow:
    """The test over examples and, from two seeds on, seeds together."""
    low, high = effect.interval(confidence)
    p, single = effect.p(level=1 - confidence), effect.seeds == 1
    remark = NOT_DEFINED if math.isnan(p) else EXAMPLES_ONLY if single else ""
    return replace(
        _row(comparison, family, metric, TWO_WAY),
        unit="examples" if single else "examples and seeds",
        seeds=effect.seeds,
        effect=effect.value,
        low=low,
        high=high,
        p=p,
        p_tail=effect.tail_p,
        detectable=math.nan if single else effect.detectable(confidence),
        n=effect.n,
        remark=remark,
    )


def missing_row(comparison: Comparison, family: str, metric: str) -> SignificanceRow:
    """A comparison without runs."""
    names = f"{comparison.experiment} and {comparison.baseline}"
    remark = f"no data: {names} have no seed in common"
    row = _row(comparison, family, metric, TWO_WAY)
    return replace(row, unit="examples and seeds", remark=remark)


def paper_rows(
    comparison: Comparison,
    answers: Answers,
    settings: Inference,
    rng: np.random.Generator,
) -> Iterator[SignificanceRow]:
    """Tests over examples or over seeds alone.

    Args:
        comparison: what is compared.
        answers: of both experiments.
        settings: of the tests.
        rng: of the resampling.
    """
    found = _tests_over_examples(answers, settings.confidence, settings.resamples, rng)
    for metric, test, result in found:
        yield _paper_row(comparison, metric, test, "examples", answers, result)
    first, second = answers.scores()
    for metric in first:
        result = paired_t_test(first[metric], second[metric], settings.confidence)
        yield _paper_row(comparison, metric, "t", "seeds", answers, result)


def _tests_over_examples(
    answers: Answers, confidence: float, resamples: int, rng: np.random.Generator
) -> Iterator[tuple[str, str, TestResult]]:
    """Metric, test and result."""
    first, second = answers.correctness()
    yield "accuracy", "t", paired_t_test(first, second, confidence)
    yield "accuracy", "mcnemar", mcnemar(first, second)
    permuted = permutation_test(answers, resamples, rng)
    drawn = bootstrap_test(answers, resamples, confidence, rng)
    for metric in permuted:
        yield metric, "permutation", permuted[metric]
        yield metric, "bootstrap", drawn[metric]


def _paper_row(
    comparison: Comparison, metric: str, test: str, unit: str, answers: Answers, result: TestResult
) -> SignificanceRow:
    one_seed = unit == "seeds" and result.n == 1
    remark = ONE_SEED if one_seed else NOT_DEFINED if math.isnan(result.p) else ""
    return replace(
        _row(comparison, PAPER, metric, test),
        unit=unit,
        seeds=len(answers.first),
        effect=result.effect,
        low=result.low,
        high=result.high,
        p=math.nan if one_seed else result.p,
        n=result.n,
        remark=remark,
    )


def _row(comparison: Comparison, family: str, metric: str, test: str) -> SignificanceRow:
    """What all rows have, with nothing found."""
    return SignificanceRow(
        family=family,
        task=comparison.task,
        split=comparison.split,
        experiment=comparison.experiment,
        baseline=comparison.baseline,
        same_start=comparison.same_start,
        metric=metric,
        test=test,
    )
