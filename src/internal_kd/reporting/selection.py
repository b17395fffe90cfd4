"""Which runs a table shows: chosen by development scores alone, never by test scores."""

import math
from collections.abc import Collection, Iterable, Sequence
from statistics import fmean

from internal_kd.errors import UserError
from internal_kd.reporting.runs import RunFolder, select
from internal_kd.specs.reports import Row

DIGITS = 9  # of a mean: (0.0 + 0.3) / 2 and (0.1 + 0.2) / 2 are the same score


def runs_of(runs: Iterable[RunFolder], task: str, experiment: str) -> list[RunFolder]:
    """The runs of an experiment on a task, one per seed and ascending by seed.

    Raises:
        UserError: they are of several model sizes or shares of the data, or of one seed twice.
    """
    found = select(runs, task=task, experiment=experiment)
    if len({(run.layers, run.percent) for run in found}) > 1:
        raise UserError(
            f"{experiment} on {task}: runs of different layers or shares of the training data; "
            "give --runs those of one size only"
        )
    if len({run.seed for run in found}) < len(found):
        raise UserError(f"{experiment} on {task}: a seed occurs twice in --runs; give it once")
    return found


def teacher_of(teachers: Sequence[RunFolder], student: RunFolder) -> RunFolder | None:
    """The run that a student learned from: the only teacher of its task, or that of its seed.

    Args:
        teachers: runs of the teacher on the student's task, as `runs_of` gives them.
        student: a run on all data.
    """
    if len(teachers) == 1:
        return teachers[0]
    return next((run for run in teachers if run.seed == student.seed), None)


def number_of_teachers(runs: Iterable[RunFolder], teacher: Row, tasks: Iterable[str]) -> int:
    """Number of teachers of each of these tasks, at most."""
    runs = list(runs)
    return max((len(runs_of(runs, task, teacher.name)) for task in tasks), default=0)


def runs_of_rows(
    runs: Iterable[RunFolder], rows: Iterable[Row], tasks: Collection[str]
) -> list[RunFolder]:
    """The runs of these experiments on these tasks."""
    names = {row.name for row in rows}
    return [run for run in runs if run.task in tasks and run.experiment in names]


def development_score(run: RunFolder) -> float:
    """A run's score (0 to 1, MCC -1 to 1) by the metric that selects on its task; NaN if none."""
    score = run.score(run.spec.selection_metric)
    return math.nan if score is None else score


def mean_development_score(runs: Sequence[RunFolder]) -> float:
    """Mean of `development_score` over runs of one task; NaN for no runs."""
    return fmean(map(development_score, runs)) if runs else math.nan


def best_experiment(runs: Iterable[RunFolder], task: str, candidates: Iterable[str]) -> str | None:
    """The candidate with the highest mean development score over its seeds (Exp3.X of Table 2).

    Of equal candidates the first in order is taken; those without runs do not take part. None
    where no candidate has a run.
    """
    runs = list(runs)
    means = {name: mean_development_score(runs_of(runs, task, name)) for name in candidates}
    known = {name: round(mean, DIGITS) for name, mean in means.items() if not math.isnan(mean)}
    return max(known, key=lambda name: known[name]) if known else None


def best_run(runs: Sequence[RunFolder]) -> RunFolder | None:
    """The run with the highest development score, of equal ones the lowest seed."""
    ordered = sorted(runs, key=lambda run: run.seed)
    return max(ordered, key=development_score) if ordered else None
