"""Estimates with intervals that cover the choice of examples and, from two seeds on, of seeds."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from internal_kd.evaluation.resampling import (
    Floats,
    bootstrap_confusions,
    bootstrap_means,
    joint_cells,
    scores_of_confusions,
)
from internal_kd.reporting.claims.claim import Estimate
from internal_kd.reporting.claims.evidence import Evidence, NoData
from internal_kd.reporting.runs import RunFolder
from internal_kd.reporting.splits import labelled_predictions
from internal_kd.tasks import get_task

THE_TEACHER = "the teacher"  # as the name of a model; experiments have no space in theirs
Models = Mapping[str, Sequence[RunFolder]]
Statistic = Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True)
class Draws:
    """A number of each model, observed and on resamples.

    Attributes:
        observed: by model, the mean over seeds.
        resampled: by model, [resamples]; the same resamples for all.
        n: examples.
        seeds: of the students.
    """

    observed: Mapping[str, float]
    resampled: Mapping[str, Floats]
    n: int
    seeds: int

    def estimate(self, statistic: Statistic, confidence: float) -> Estimate:
        """A function of the models' numbers, with its percentile interval."""
        tails = [(1 - confidence) / 2, (1 + confidence) / 2]
        low, high = np.quantile(statistic(self.resampled), tails)
        value = float(statistic(self.observed))
        return Estimate(value, float(low), float(high), self.n, self.seeds)

    def difference(self, first: str, second: str, confidence: float) -> Estimate:
        """The number of one model minus that of another."""
        return self.estimate(lambda models: models[first] - models[second], confidence)


def score_draws(evidence: Evidence, task: str, models: Models, split: str = "validation") -> Draws:
    """Draws of the score that selects on the task.

    Args:
        evidence: gives seed and number of resamples.
        task: name of the task.
        models: runs by name; the one run of `THE_TEACHER` stands beside every seed of the others.
        split: validation or test.

    Raises:
        NoData: no seed is common to all students, or the split's labels are hidden.
    """
    rows, seeds = common_seeds(models)
    frames = labelled_predictions(rows, split)
    if frames is None:
        raise NoData(f"the labels of the {split} set are hidden")
    labels, predictions = frames[0].labels, np.stack([frame.predictions for frame in frames])
    cells = joint_cells(labels, predictions)
    rng = evidence.rng(f"{task} {split} {' '.join(models)}")
    drawn = bootstrap_confusions(cells, evidence.settings["resamples"], rng)
    observed = cells.confusions(cells.counts[None].astype(float))
    metric = get_task(task).selection_metric
    values = [scores_of_confusions(found)[metric] for found in (observed, drawn)]
    return _over_seeds(list(models), values[0][0], values[1], len(labels), seeds, rng)


def mean_draws(evidence: Evidence, key: str, values: Mapping[str, Floats]) -> Draws:
    """Draws of means over examples.

    Args:
        evidence: gives seed and number of resamples.
        key: of the random numbers.
        values: by model, [seeds, n].
    """
    stacked = np.concatenate(list(values.values()))
    seeds, n = next(iter(values.values())).shape
    rng = evidence.rng(key)
    drawn = bootstrap_means(stacked.T, evidence.settings["resamples"], rng)
    return _over_seeds(list(values), stacked.mean(axis=1), drawn, n, seeds, rng)


def seed_estimate(values: Sequence[float], confidence: float) -> Estimate:
    """Mean of one value per seed with its t-interval over seeds.

    One seed has no interval (NaN); that of seeds with equal values has no width.
    """
    n, mean = len(values), float(np.mean(values))
    if n < 2:
        return Estimate(mean, math.nan, math.nan, n, n)
    half = float(stdtrit(n - 1, (1 + confidence) / 2) * np.std(values, ddof=1) / np.sqrt(n))
    return Estimate(mean, mean - half, mean + half, n, n)


def smallest(estimates: Mapping[str, Estimate]) -> tuple[str, Estimate]:
    """For a claim on all of several effects: the name of the smallest one, and the smallest ends.

    All effects lie above a bound, each at its confidence, exactly if the smallest lower end does;
    one lies below if the smallest upper end does. No correction for their number is
    needed, as every one has to pass (intersection-union test).
    """
    name = min(estimates, key=lambda key: estimates[key].value)
    one = estimates[name]
    low = np.min([estimate.low for estimate in estimates.values()])
    high = np.min([estimate.high for estimate in estimates.values()])
    return name, Estimate(one.value, float(low), float(high), one.n, one.seeds)


def common_seeds(models: Models) -> tuple[list[RunFolder], int]:
    """The runs of each model in turn, ascending by the seeds that all students have.

    Returns:
        Runs, model by model, and the number of seeds.

    Raises:
        NoData: there is no common seed.
    """
    by_seed = {name: {run.seed: run for run in runs} for name, runs in models.items()}
    students = [set(runs) for name, runs in by_seed.items() if name != THE_TEACHER]
    seeds = sorted(set.intersection(*students))
    if not seeds:
        raise NoData("the students have no seed in common")
    rows = [
        models[name][0] if name == THE_TEACHER else runs[seed]
        for name, runs in by_seed.items()
        for seed in seeds
    ]
    return rows, len(seeds)


def _over_seeds(
    names: Sequence[str],
    observed: Floats,
    drawn: Floats,
    n: int,
    seeds: int,
    rng: np.random.Generator,
) -> Draws:
    """Means over seeds, which are drawn with replacement too, the same for all models.

    Args:
        names: of the models.
        observed: [models * seeds].
        drawn: [resamples, models * seeds].
        n: examples.
        seeds: per model.
        rng: of the draws.
    """
    shaped = drawn.reshape(len(drawn), len(names), seeds)
    picked: npt.NDArray[np.int64] = rng.integers(seeds, size=(len(drawn), 1, seeds))
    means = np.take_along_axis(shaped, picked, axis=2).mean(axis=2)
    centres = observed.reshape(len(names), seeds).mean(axis=1)
    return Draws(
        observed={name: float(centres[i]) for i, name in enumerate(names)},
        resampled={name: means[:, i] for i, name in enumerate(names)},
        n=n,
        seeds=seeds,
    )
