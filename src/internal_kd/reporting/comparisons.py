"""Differences in score between two experiments on a task, over examples and student seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from internal_kd.evaluation.comparison import score_differences
from internal_kd.evaluation.inference import Effect
from internal_kd.evaluation.significance import Answers
from internal_kd.reporting.runs import RunFolder
from internal_kd.reporting.selection import runs_of
from internal_kd.reporting.splits import labelled_predictions
from internal_kd.specs.reports import Inference, Row


@dataclass(frozen=True)
class Comparison:
    """An experiment minus a baseline.

    Attributes:
        task: name of the task.
        experiment: name of the experiment.
        baseline: name of the experiment it is compared with.
        same_start: whether both students start with the same head and layers and are trained with
            the same settings, so that their losses alone make the difference.
        split: validation or test.
    """

    task: str
    experiment: str
    baseline: str
    same_start: bool
    split: str = "validation"


def with_baseline(row: Row, standard: Row, task: str, split: str = "validation") -> Comparison:
    """An experiment and the standard KD with its start, or `standard` where there is none."""
    same_start = row.baseline is not None
    return Comparison(task, row.name, row.baseline or standard.name, same_start, split)


class Differences:
    """Differences between experiments, each computed once.

    Args:
        runs: of all experiments.
        settings: of the bootstrap.
    """

    def __init__(self, runs: Sequence[RunFolder], settings: Inference) -> None:
        self._runs, self._settings = runs, settings
        self._answers: dict[Comparison, Answers | None] = {}
        self._effects: dict[Comparison, dict[str, Effect]] = {}

    def answers(self, comparison: Comparison) -> Answers | None:
        """Predictions of both experiments for the seeds that both have.

        None where they have no seed in common or the split has no labels.
        """
        if comparison not in self._answers:
            self._answers[comparison] = _answers(self._runs, comparison)
        return self._answers[comparison]

    def effects(self, comparison: Comparison) -> dict[str, Effect]:
        """Difference by metric; none where there are no answers."""
        if comparison not in self._effects:
            answers = self.answers(comparison)
            self._effects[comparison] = (
                {} if answers is None else self._compared(comparison, answers)
            )
        return self._effects[comparison]

    def rng(self, comparison: Comparison, purpose: str) -> np.random.Generator:
        """Random numbers of a comparison's own: others can come and go without changing them."""
        names = (comparison.task, comparison.split, comparison.experiment, comparison.baseline)
        own = crc32(" ".join([*names, purpose]).encode())
        return np.random.default_rng([self._settings.seed, own])

    def _compared(self, comparison: Comparison, answers: Answers) -> dict[str, Effect]:
        sides = (answers.labels, answers.first, answers.second)
        rng = self.rng(comparison, "two-way")
        return score_differences(*sides, self._settings.resamples, rng)


def _answers(runs: Sequence[RunFolder], comparison: Comparison) -> Answers | None:
    names = (comparison.experiment, comparison.baseline)
    first, second = paired_by_seed(*(runs_of(runs, comparison.task, name) for name in names))
    frames = labelled_predictions([*first, *second], comparison.split) if first else None
    if frames is None:
        return None
    predictions = np.stack([frame.predictions for frame in frames])
    return Answers(frames[0].labels, predictions[: len(first)], predictions[len(first) :])


def paired_by_seed(
    first: Sequence[RunFolder], second: Sequence[RunFolder]
) -> tuple[list[RunFolder], list[RunFolder]]:
    """The runs of both whose seeds the other has too, ascending by seed."""
    seeds = sorted({run.seed for run in first} & {run.seed for run in second})
    by_seed = [{run.seed: run for run in side} for side in (first, second)]
    return [by_seed[0][seed] for seed in seeds], [by_seed[1][seed] for seed in seeds]
