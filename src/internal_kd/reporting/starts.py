"""Starts compared: the scores of each objective by start, and how far they spread.

Scores of several starts spread even if the start does not matter. What is to be expected then is
shown beside what was found, and a test corrected for the choice of the two starts furthest apart.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.integrate import quad
from scipy.special import ndtr

from internal_kd.evaluation.inference import SEEDS_FOR_VERDICTS, Effect, holm
from internal_kd.reporting.formats import MISSING, Cell, Column, Row, Table, write_csv
from internal_kd.reporting.grid_layout import grid_table, labels_of, write_tables
from internal_kd.reporting.grids import (
    HINT,
    INCONCLUSIVE,
    Cells,
    GridScores,
    against_none,
    grouped,
    on,
    table_of,
)
from internal_kd.reporting.records import from_frame, to_frame
from internal_kd.reporting.runs import RunFolder, read_run_folders
from internal_kd.reporting.wording import METRIC_TITLES, points
from internal_kd.specs.grid_reports import GridSettings
from internal_kd.specs.tasks import Task

FACTORS = ("setting", "objective", "start")
VARIES = "varies"
CAPTION = (
    "Objectives by start of the student's layers, means over maps of layers, and their differences "
    "from the distillation without losses between layers that has the same start."
)


@dataclass(frozen=True)
class SpreadRow:
    """How far the scores of an objective spread over starts on a task.

    Attributes:
        setting, objective: whose starts are compared.
        task: name of the task.
        metric: that selects on the task.
        starts: number of starts.
        seeds: student seeds.
        highest, lowest: starts with the highest and the lowest score.
        range: difference of their scores.
        noise: range to be expected if all starts were equally good.
        sd: standard deviation of the scores over starts.
        sd_true: the same without what noise adds to it, at least 0.
        p: that all starts are equally good: the smallest p of their pairs times the number of
            pairs (Bonferroni).
        p_holm: adjusted over all rows.
        verdict: varies, inconclusive or hint.
    """

    setting: str
    objective: str
    task: str
    metric: str
    starts: int
    seeds: int
    highest: str
    lowest: str
    range: float
    noise: float
    sd: float
    sd_true: float
    p: float
    p_holm: float = math.nan
    verdict: str = ""


ROUNDED = dict.fromkeys(["range", "noise", "sd", "sd_true"], 6)


def write_starts(folders: Iterable[str | Path], settings: GridSettings, out: str | Path) -> None:
    """Write scores as `out` (tidy .csv), the spreads as `_spread.csv`, and both as .md and .tex.

    Args:
        folders: of the runs of all objectives and starts.
        settings: of the table.
        out: path of the .csv.

    Raises:
        UserError: a folder is none of a run, or runs are of different examples.
    """
    frame, spreads = build(read_run_folders(folders, settings.task_specs), settings)
    tables = {
        "tab:starts": grid_table(frame, settings, FACTORS, "Starts", CAPTION),
        "tab:starts-spread": spread_table(spreads, settings),
    }
    write_tables(frame, tables, out)
    write_csv(spreads, Path(out).with_name(f"{Path(out).stem}_spread.csv"))


def build(runs: Sequence[RunFolder], settings: GridSettings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two tidy tables: of scores, see `GridRow`, and of spreads, see `SpreadRow`."""
    grid = GridScores(runs, settings)
    frame = table_of(grid, grouped(settings, FACTORS), against_none)
    return frame, spreads_of(grid)


def spreads_of(grid: GridScores) -> pd.DataFrame:
    """One row per setting, objective and task."""
    frame = to_frame(_spreads(grid), SpreadRow)
    frame["p_holm"] = holm(frame["p"].tolist())
    level = 1 - grid.confidence
    frame["verdict"] = [_verdict(row, level) for row in from_frame(frame, SpreadRow)]
    return frame.round(ROUNDED)


def _spreads(grid: GridScores) -> Iterator[SpreadRow]:
    by_objective: dict[tuple[str, str], dict[str, Cells]] = {}
    for (setting, objective, start, _), cells in grouped(grid.settings, FACTORS).items():
        by_objective.setdefault((setting, objective), {})[start] = cells
    for names, by_start in by_objective.items():
        for task in grid.settings.tasks:
            found = {start: on(task, cells) for start, cells in by_start.items()}
            known = {start: cells for start, cells in found.items() if cells}
            if len(known) > 1:
                yield _spread(grid, names, task, known)


def _spread(
    grid: GridScores, names: tuple[str, str], task: str, by_start: Mapping[str, Cells]
) -> SpreadRow:
    by_seed = {start: grid.by_seed(task, cells) for start, cells in by_start.items()}
    scores = {start: float(found.mean()) for start, found in by_seed.items()}
    highest, lowest = max(scores, key=scores.__getitem__), min(scores, key=scores.__getitem__)
    effects = [
        grid.difference(task, by_start[first], by_start[second])
        for first, second in combinations(by_start, 2)
    ]
    noise = noise_variance(effects)
    sd = float(np.std([*scores.values()], ddof=1))
    return SpreadRow(
        *names,
        task=task,
        metric=grid.settings.task_specs[task].selection_metric,
        starts=len(scores),
        seeds=effects[0].seeds,
        highest=highest,
        lowest=lowest,
        range=scores[highest] - scores[lowest],
        noise=expected_range(len(scores)) * math.sqrt(noise),
        sd=sd,
        sd_true=math.sqrt(max(0.0, sd**2 - noise)),
        p=smallest_p(effects),
    )


def noise_variance(effects: Sequence[Effect]) -> float:
    """Variance of each of several scores about its own expectation, from all their differences.

    A difference of two has twice the variance; what they have in common, such as the examples,
    spreads nothing.
    """
    return float(np.mean([effect.error**2 for effect in effects])) / 2


def expected_range(count: int) -> float:
    """Expected range of independent standard normal numbers: 1.128 for two, 1.693 for three."""
    found, _ = quad(lambda z: 1 - ndtr(z) ** count - ndtr(-z) ** count, -10, 10)
    return float(found)


def smallest_p(effects: Sequence[Effect]) -> float:
    """p of all effects being 0, by Bonferroni; NaN where there are too few seeds for a verdict."""
    p = [effect.p() if len(effects) == 1 else effect.tail_p for effect in effects]
    if effects[0].seeds < SEEDS_FOR_VERDICTS or np.isnan(p).all():
        return math.nan
    return min(1.0, len(effects) * float(np.nanmin(p)))


def _verdict(row: SpreadRow, level: float) -> str:
    if math.isnan(row.p_holm):
        return HINT
    return VARIES if row.p_holm < level else INCONCLUSIVE


def spread_table(frame: pd.DataFrame, settings: GridSettings) -> Table:
    """A row per objective; found and expected range on each task."""
    labels = labels_of(settings)
    several = frame["setting"].nunique() > 1
    shown = ["setting", "objective"] if several else ["objective"]
    rows: dict[tuple[str, ...], dict[str, SpreadRow]] = {}
    for row in from_frame(frame, SpreadRow):
        names = tuple(labels[name].get(getattr(row, name), MISSING) for name in shown)
        rows.setdefault(names, {})[row.task] = row
    tasks = [task for task in settings.tasks if task in set(frame["task"])]
    return Table(
        title="Spread over starts",
        caption="Highest minus lowest score over starts, and the range to be expected by chance if "
        "all starts were equally good.",
        columns=[
            *(Column(name.capitalize(), align="l") for name in shown),
            *(column for task in tasks for column in _columns(settings.task_specs[task])),
        ],
        sections=[
            [
                [*map(Cell, names), *(cell for task in tasks for cell in _cells(found.get(task)))]
                for names, found in rows.items()
            ]
        ],
        notes=_notes(settings),
    )


def _columns(task: Task) -> list[Column]:
    group = f"{task.title} {METRIC_TITLES[task.selection_metric]}"
    return [Column("range", group), Column("by chance", group)]


def _cells(row: SpreadRow | None) -> Row:
    if row is None:
        return [Cell(MISSING), Cell(MISSING)]
    chance = MISSING if math.isnan(row.noise) else f"{100 * row.noise:.1f}"
    return [Cell(points(row.range).removeprefix("+"), bold=row.verdict == VARIES), Cell(chance)]


def _notes(settings: GridSettings) -> list[str]:
    return [
        f"Study: {settings.study}. Points. By chance: expected range of as many scores whose "
        "differences have the standard errors found, over examples and student seeds (with one "
        "seed over examples alone, which is too little). Bold: some pair of starts differs with p "
        f"below {1 - settings.confidence:.3g}, adjusted for the number of pairs (Bonferroni) and "
        "for all rows and tasks (Holm). Of two objectives the one with the larger range need not "
        "vary more: the claims test that."
    ] + ([settings.note] if settings.note else [])
