"""Effects between several models that have answered the same examples, with paired seeds.

A statistic of the models' scores, such as a difference, a difference of differences or a ratio, is
computed for each seed on all examples, which gives the variance over seeds, and averaged over seeds
on resampled examples, which gives the variance over examples (a paired bootstrap that keeps the
seeds). `inference.two_way` adds both up.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from internal_kd.evaluation.inference import Effect, paired_means, two_way
from internal_kd.evaluation.resampling import (
    Floats,
    Ints,
    bootstrap_confusions,
    bootstrap_means,
    joint_cells,
    scores_of_confusions,
)

Statistic = Callable[[Mapping[str, Floats]], Floats]


@dataclass(frozen=True)
class Resampled:
    """What was measured on n examples, for each seed of several models.

    A model of one run, such as the only teacher, stands beside each seed of the others.

    Attributes:
        observed: by model, on all examples, [seeds].
        drawn: by model, on examples drawn with replacement, [resamples, seeds].
        n: examples.
    """

    observed: Mapping[str, Floats]
    drawn: Mapping[str, Floats]
    n: int

    def effect(self, statistic: Statistic) -> Effect:
        """The statistic's mean over seeds, with its variance over examples and seeds.

        Args:
            statistic: gets arrays of any common shape by model and works elementwise.
        """
        drawn = np.asarray(statistic(self.drawn)).mean(axis=1)
        unbiased = self.n / (self.n - 1) if self.n > 1 else np.nan  # as s^2 / n of a mean
        return two_way(statistic(self.observed), float(drawn.var()) * unbiased, self.n)


def score_effect(
    labels: Ints,
    predictions: Mapping[str, Ints],
    statistic: Statistic,
    metric: str,
    resamples: int,
    rng: np.random.Generator,
) -> Effect:
    """Effect of a statistic of scores.

    Args:
        labels: [n], from 0.
        predictions: by model, [seeds, n], or [1, n] for a model of one run.
        statistic: gets scores by model, arrays of any common shape, and works elementwise.
        metric: one of `tasks.METRIC_NAMES`.
        resamples: how often n examples are drawn.
        rng: of the draws.

    Raises:
        ValueError: numbers of seeds or examples do not fit, or there are unlabelled examples.
    """
    return resampled_scores(labels, predictions, resamples, rng)[metric].effect(statistic)


def mean_effect_of(
    values: Mapping[str, Floats], statistic: Statistic, resamples: int, rng: np.random.Generator
) -> Effect:
    """Effect of a statistic of means over examples; see `score_effect`.

    Args:
        values: what was measured on each example, by model, [seeds, n] or [1, n].
        statistic: gets means by model.
        resamples: how often n examples are drawn.
        rng: of the draws.
    """
    return resampled_means(values, resamples, rng).effect(statistic)


def score_differences(
    labels: Ints, first: Ints, second: Ints, resamples: int, rng: np.random.Generator
) -> dict[str, Effect]:
    """Effect by metric: scores of `first` minus those of `second`, [seeds, n] or [1, n] each.

    The variance of accuracy over examples is exact, as accuracy is a mean over them.
    """
    models = {"first": np.asarray(first), "second": np.asarray(second)}
    found = resampled_scores(labels, models, resamples, rng)
    effects = {metric: scores.effect(_difference) for metric, scores in found.items()}
    right = [(models[name] == labels).astype(float) for name in models]
    return effects | {"accuracy": paired_means(*right)}


def resampled_scores(
    labels: Ints, predictions: Mapping[str, Ints], resamples: int, rng: np.random.Generator
) -> dict[str, Resampled]:
    """Scores by metric, of all models on the same draws; arguments as of `score_effect`."""
    groups = {name: np.asarray(answers) for name, answers in predictions.items()}
    seeds = _seeds(groups)
    cells = joint_cells(np.asarray(labels), np.concatenate(list(groups.values())))
    observed = scores_of_confusions(cells.confusions(cells.counts[None].astype(float)))
    drawn = scores_of_confusions(bootstrap_confusions(cells, resamples, rng))
    return {
        metric: Resampled(
            {name: value[0] for name, value in _by_model(observed[metric], groups, seeds).items()},
            _by_model(drawn[metric], groups, seeds),
            len(labels),
        )
        for metric in observed
    }


def resampled_means(
    values: Mapping[str, Floats], resamples: int, rng: np.random.Generator
) -> Resampled:
    """Means over examples, of all models on the same draws; arguments as of `mean_effect_of`."""
    groups = {name: np.asarray(rows, dtype=float) for name, rows in values.items()}
    seeds, columns = _seeds(groups), np.concatenate(list(groups.values())).T
    observed = _by_model(columns.mean(axis=0), groups, seeds)
    drawn = _by_model(bootstrap_means(columns, resamples, rng), groups, seeds)
    return Resampled(observed, drawn, len(columns))


def _difference(scores: Mapping[str, Floats]) -> Floats:
    return scores["first"] - scores["second"]


def _seeds(groups: Mapping[str, Floats | Ints]) -> int:
    """Number of seeds that all models with several runs have."""
    counts = {len(rows) for rows in groups.values()}
    if len(counts - {1}) > 1:
        raise ValueError(f"models of {sorted(counts)} seeds cannot be paired")
    return max(counts)


def _by_model(values: Floats, groups: Mapping[str, Floats | Ints], seeds: int) -> dict[str, Floats]:
    """Split values [..., runs of all models] by model; the value of one run is repeated."""
    ends = np.cumsum([len(rows) for rows in groups.values()])[:-1]
    parts = np.split(values, ends, axis=-1)
    shape = (*values.shape[:-1], seeds)
    return {name: np.broadcast_to(part, shape) for name, part in zip(groups, parts, strict=True)}
