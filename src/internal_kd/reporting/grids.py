"""Scores of grids' experiments, averaged over the factors that a table does not show."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast
from zlib import crc32

import numpy as np
import pandas as pd

from internal_kd.evaluation.comparison import Statistic
from internal_kd.evaluation.inference import (
    SEEDS_FOR_VERDICTS,
    Effect,
    family,
    holm,
    mean_effect,
)
from internal_kd.evaluation.resampling import Floats
from internal_kd.reporting.claims.effects import Scores, paired_runs, scores
from internal_kd.reporting.claims.evidence import RememberedRun
from internal_kd.reporting.records import from_frame, to_frame
from internal_kd.reporting.runs import RunFolder
from internal_kd.reporting.selection import development_score, runs_of
from internal_kd.specs.grid_reports import GridCell, GridSettings

MEAN = "mean"  # over tasks, in place of a task
BETTER, WORSE, INCONCLUSIVE, HINT = "better", "worse", "inconclusive", "hint"
FACTORS = ("setting", "objective", "start", "mapping")
Levels = tuple[str, str, str, str]
Cells = Sequence[GridCell]
Pairs = tuple[Cells, Cells]


@dataclass(frozen=True)
class GridRow:
    """A group of experiments on a task, and its difference from another; NaN for what is unknown.

    Attributes:
        setting, objective, start, mapping: levels that the group has in common; "" where the table
            does not show the factor.
        task: name of the task, or `MEAN`.
        metric: that selects on the task.
        baseline: name of the first experiment that it is compared with; "" for none.
        seeds: student seeds.
        n: examples.
        experiments: that the score is a mean of.
        score: mean over experiments and seeds, from 0 to 1.
        sd: over seeds, of the mean over experiments.
        effect: score minus that of the baseline, over the same other levels.
        low, high: ends of its interval.
        p, p_tail: of no effect; adjustments start from the latter.
        p_holm: adjusted over the family of the table.
        detectable: difference that would have been found with a probability of 80 %.
        verdict: better, worse, inconclusive or hint.
    """

    setting: str
    objective: str
    start: str
    mapping: str
    task: str
    metric: str
    baseline: str = ""
    seeds: int = 0
    n: int = 0
    experiments: int = 0
    score: float = math.nan
    sd: float = math.nan
    effect: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    p_tail: float = math.nan
    p_holm: float = math.nan
    detectable: float = math.nan
    verdict: str = ""


ROUNDED = dict.fromkeys(["score", "sd", "effect", "low", "high", "detectable"], 6)


class GridScores:
    """Scores of all experiments of some grids, resampled together on each task.

    Args:
        runs: of all experiments.
        settings: of a table of grids.
    """

    def __init__(self, runs: Iterable[RunFolder], settings: GridSettings) -> None:
        self.settings = settings
        self._runs = [RememberedRun(run.folder, run.metrics, run.spec, run) for run in runs]
        self._scores: dict[str, Scores] = {}

    @property
    def confidence(self) -> float:
        """Of intervals."""
        return self.settings.confidence

    def rng(self, key: str) -> np.random.Generator:
        """Random numbers of their own for each key."""
        return np.random.default_rng([self.settings.seed, crc32(key.encode())])

    @cached_property
    def models(self) -> Mapping[str, Mapping[str, Sequence[RunFolder]]]:
        """Runs by task and experiment, with the seeds that all experiments of a task have."""
        names = {cell.experiment: cell.tasks for cell in self.settings.cells}
        return {
            task: paired_runs(
                {name: runs_of(self._runs, task, name) for name in names if task in names[name]}
            )
            for task in self.settings.tasks
            if any(task in tasks for tasks in names.values())
        }

    def difference(self, task: str, first: Cells, second: Cells) -> Effect:
        """Mean score of the first cells minus that of the second ones."""
        return self.effect(task, contrast(first, second))

    def effect(self, task: str, statistic: Statistic) -> Effect:
        """Effect of a linear statistic of the experiments' scores on a task."""
        if task not in self._scores:
            self._scores[task] = scores(self, task, self.models[task])
        return self._scores[task].effect(statistic)

    def by_seed(self, task: str, cells: Cells) -> Floats:
        """Development score of each seed, the mean over cells, [seeds]."""
        rows = [
            [development_score(run) for run in self.models[task][cell.experiment]] for cell in cells
        ]
        return np.mean(rows, axis=0)


def contrast(first: Cells, second: Cells) -> Statistic:
    """The statistic "mean of the first cells minus mean of the second ones"."""

    def statistic(values: Mapping[str, Floats]) -> Floats:
        sides = (
            sum(values[cell.experiment] for cell in side) / len(side) for side in (first, second)
        )
        plus, minus = map(np.asarray, sides)
        found: Floats = plus - minus
        return found

    return statistic


def on(task: str, cells: Cells) -> list[GridCell]:
    """The cells that are trained on a task."""
    return [cell for cell in cells if task in cell.tasks]


def grouped(settings: GridSettings, factors: Iterable[str]) -> dict[Levels, list[GridCell]]:
    """The cells by their levels of some factors, in the order of the levels; "" for the others."""
    shown, groups = set(factors), dict[Levels, list[GridCell]]()
    for cell in settings.cells:
        levels = (getattr(cell, factor) if factor in shown else "" for factor in FACTORS)
        groups.setdefault(cast(Levels, tuple(levels)), []).append(cell)
    known = (settings.settings, settings.objectives, settings.starts, settings.mappings)
    places = [{level.name: place for place, level in enumerate(levels)} for levels in known]

    def place(levels: Levels) -> list[int]:
        return [found.get(level, -1) for found, level in zip(places, levels, strict=True)]

    return {levels: groups[levels] for levels in sorted(groups, key=place)}


def table_of(
    grid: GridScores, groups: Mapping[Levels, Cells], pairs: Callable[[Cells, Cells], Pairs]
) -> pd.DataFrame:
    """The tidy table: a row per group and task, and one for each group's mean over tasks.

    Args:
        grid: of the scores.
        groups: cells by what they have in common.
        pairs: from the cells of a group and all cells, on one task, those that are compared, and
            what with.
    """
    rows: list[GridRow] = []
    for levels, cells in groups.items():
        made = [
            _row(grid, levels, task, on(task, cells), pairs)
            for task in grid.settings.tasks
            if on(task, cells)
        ]
        rows += [row for row, _ in made]
        rows += _mean_rows(made, grid.confidence)
    return _adjusted(rows, 1 - grid.confidence)


def against_none(cells: Cells, every: Cells) -> Pairs:
    """The cells that have a counterpart without losses between layers, and those counterparts.

    It has the same start, setting and levels of other factors.
    """
    none = {_context(cell): cell for cell in reversed(every) if cell.losses == "none"}
    kept = [cell for cell in cells if _context(cell) in none]
    return kept, [none[_context(cell)] for cell in kept]


def _context(cell: GridCell) -> tuple[str, str, str]:
    return cell.setting, cell.start, cell.others


def _row(
    grid: GridScores,
    levels: Levels,
    task: str,
    cells: Cells,
    pairs: Callable[[Cells, Cells], Pairs],
) -> tuple[GridRow, Effect | None]:
    """A group on a task, and its difference, if it is compared."""
    by_seed = grid.by_seed(task, cells)
    judged = len(by_seed) >= SEEDS_FOR_VERDICTS
    row = GridRow(
        *levels,
        task=task,
        metric=grid.settings.task_specs[task].selection_metric,
        seeds=len(by_seed),
        experiments=len({cell.experiment for cell in cells}),
        score=float(by_seed.mean()),
        sd=float(by_seed.std(ddof=1)) if judged else math.nan,
    )
    first, second = pairs(cells, on(task, grid.settings.cells))
    if {cell.experiment for cell in first} == {cell.experiment for cell in second}:
        return row, None
    effect = grid.difference(task, first, second)
    compared = replace(row, baseline=second[0].experiment)
    return _with_effect(compared, effect, grid.confidence), effect


def _with_effect(row: GridRow, effect: Effect, confidence: float) -> GridRow:
    """The row with a difference."""
    low, high = effect.interval(confidence)
    return replace(
        row,
        n=effect.n,
        effect=effect.value,
        low=low,
        high=high,
        p=effect.p(level=1 - confidence),
        p_tail=effect.tail_p,
        detectable=effect.detectable(confidence),
    )


def _mean_rows(
    rows: Sequence[tuple[GridRow, Effect | None]], confidence: float
) -> Iterator[GridRow]:
    """The mean over tasks, where there are several with a difference."""
    known = [(row, effect) for row, effect in rows if effect is not None]
    if len(known) < 2:
        return
    effect = mean_effect([effect for _, effect in known])
    row = replace(
        known[0][0],
        task=MEAN,
        metric="selection",
        seeds=effect.seeds,
        score=float(np.mean([row.score for row, _ in known])),
        sd=math.nan,
    )
    yield _with_effect(row, effect, confidence)


def _adjusted(rows: Sequence[GridRow], level: float) -> pd.DataFrame:
    """The frame of the rows, adjusted by Holm over all of them; means over tasks are a family of
    their own.
    """
    frame = to_frame(rows, GridRow)
    is_mean = frame["task"] == MEAN
    for members in (is_mean, ~is_mean):
        part = frame.loc[members]
        adjusted = holm(family(part["p"].tolist(), part["p_tail"].tolist()))
        frame.loc[members, "p_holm"] = adjusted
    frame["verdict"] = [_verdict(row, level) for row in from_frame(frame, GridRow)]
    return frame.astype({"seeds": "Int64", "n": "Int64"}).round(ROUNDED)


def _verdict(row: GridRow, level: float) -> str:
    if math.isnan(row.effect):
        return ""
    if row.seeds < SEEDS_FOR_VERDICTS or math.isnan(row.p_holm):
        return HINT
    if row.p_holm >= level:
        return INCONCLUSIVE
    return BETTER if row.effect > 0 else WORSE
