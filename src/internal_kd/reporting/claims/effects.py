"""Effects on a task: statistics of several models' scores, over examples and student seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from internal_kd.evaluation.comparison import Statistic, resampled_scores
from internal_kd.evaluation.inference import Effect, two_way
from internal_kd.evaluation.predictions import SplitPredictions
from internal_kd.evaluation.resampling import Floats
from internal_kd.reporting.claims.evidence import NoData
from internal_kd.reporting.runs import RunFolder
from internal_kd.reporting.splits import labelled_predictions
from internal_kd.specs.reports import Inference

THE_TEACHER = "the teacher"  # as the name of a model; experiments have no space in theirs
EXACT = "accuracy"  # a mean over examples, which needs no resampling
Models = Mapping[str, Sequence[RunFolder]]
Frames = dict[str, list[SplitPredictions]]


class Resampling(Protocol):
    """How resamples are drawn; `Evidence` is one."""

    @property
    def settings(self) -> Inference:
        """Seed and number of resamples."""

    def rng(self, key: str) -> np.random.Generator:
        """Random numbers of their own for each key."""


class Scores(Protocol):
    """A number of each model and seed, with its spread over examples."""

    def effect(self, statistic: Statistic) -> Effect:
        """Effect of a statistic of the models' numbers."""


@dataclass(frozen=True)
class Means:
    """Means over n examples.

    Attributes:
        values: what was measured on each example, by model, [seeds, n], or [1, n] for a model of
            one run, which stands beside each seed of the others.
    """

    values: Mapping[str, Floats]

    @cached_property
    def _by_seed(self) -> dict[str, Floats]:
        """Mean over examples by model, [seeds]."""
        return {name: rows.mean(axis=1) for name, rows in self.values.items()}

    @cached_property
    def _by_example(self) -> dict[str, Floats]:
        """Mean over seeds by model, [n]."""
        return {name: rows.mean(axis=0) for name, rows in self.values.items()}

    def effect(self, statistic: Statistic) -> Effect:
        """Effect of a linear statistic: the means with fixed weights, added up.

        Its variance over examples is exact: s^2 / n of the statistic of single examples, in which
        each model counts with its mean over seeds.
        """
        by_example = statistic(self._by_example)
        n = len(by_example)
        variance = float(by_example.var(ddof=1)) / n if n > 1 else np.nan
        return two_way(statistic(self._by_seed), variance, n)

    def mean(self, model: str) -> float:
        """Mean of a model over examples and seeds."""
        return float(self.values[model].mean())


def difference(first: str, second: str) -> Statistic:
    """The statistic "first minus second"."""
    return lambda models: models[first] - models[second]


def scores(
    evidence: Resampling,
    task: str,
    models: Models,
    split: str = "validation",
    metric: str | None = None,
) -> Scores:
    """Scores of several models, of which linear statistics can be taken.

    Args:
        evidence: gives seed and number of resamples.
        task: name of the task.
        models: runs by name.
        split: validation or test.
        metric: None for the one that selects on the task.

    Raises:
        NoData: the models have no seed in common, or the split's labels are hidden.
    """
    frames = frames_of(models, split)
    metric = metric or next(run.spec for runs in models.values() for run in runs).selection_metric
    labels = next(iter(frames.values()))[0].labels
    answers = {name: answers_of(found) for name, found in frames.items()}
    if metric == EXACT:
        return Means({name: (found == labels).astype(float) for name, found in answers.items()})
    rng = evidence.rng(f"{task} {split} {' '.join(models)}")
    return resampled_scores(labels, answers, evidence.settings.resamples, rng)[metric]


def frames_of(models: Models, split: str = "validation") -> Frames:
    """The predictions of each model on the same examples, one frame for each common seed.

    Raises:
        NoData: the models have no seed in common, or the split's labels are hidden.
    """
    paired = paired_runs(models)
    found = labelled_predictions([run for runs in paired.values() for run in runs], split)
    if found is None:
        raise NoData(f"the labels of the {split} set are hidden")
    rows = iter(found)
    return {name: [next(rows) for _ in runs] for name, runs in paired.items()}


def answers_of(frames: Sequence[SplitPredictions]) -> npt.NDArray[np.int64]:
    """Predicted classes, int64 [seeds, n]."""
    return np.stack([frame.predictions for frame in frames])


def paired_runs(models: Models) -> dict[str, list[RunFolder]]:
    """The runs of each model with the seeds that all have, ascending.

    The only run of `THE_TEACHER` teaches all students, whatever its seed. Several teachers are
    paired with the students of their seeds.

    Raises:
        NoData: there is no common seed.
    """
    shared = [name for name, runs in models.items() if name == THE_TEACHER and len(runs) == 1]
    by_seed = {
        name: {run.seed: run for run in runs} for name, runs in models.items() if name not in shared
    }
    seeds = sorted(set.intersection(*map(set, by_seed.values())))
    if not seeds:
        raise NoData("the models have no seed in common")
    return {
        name: list(runs) if name in shared else [by_seed[name][seed] for seed in seeds]
        for name, runs in models.items()
    }


def one_teacher(teachers: Sequence[RunFolder]) -> list[str]:
    """The reservation of a student's comparison with a teacher while there is one teacher."""
    return ["one teacher per task"] if len(teachers) == 1 else []
