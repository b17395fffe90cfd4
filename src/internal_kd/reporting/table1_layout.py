"""The layout of Table 1: its cells and footnotes."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from internal_kd.reporting.formats import MISSING, Cell, Column, Table
from internal_kd.reporting.wording import capitalized, flag_marks, flag_notes, head_title
from internal_kd.specs.reports import Row
from internal_kd.specs.tables import Table1Settings

Scored = tuple[str, str]  # task and metric

MAJORITY = "majority"
MAJORITY_ROW = Row(MAJORITY, "Majority class")
NOT_DISTILLED = ("exp1.0", "exp1.1")
METRIC_TITLES = {"accuracy": "Acc.", "f1": "F1 (binary)", "f1_weighted": "F1", "mcc": "MCC"}


@dataclass(frozen=True)
class Score:
    """A development score (0 to 1) of an experiment over n runs; NaN where there is none."""

    mean: float
    std: float
    n: int
    paper: float
    flags: tuple[str, ...]


@dataclass(frozen=True)
class _Shared:
    """What the cells of all rows share."""

    scores: Mapping[tuple[str, str, str], Score]
    scored: Sequence[Scored]
    marks: Mapping[str, str]
    with_paper: bool


def layout(frame: pd.DataFrame, settings: Table1Settings, notes: Sequence[str]) -> Table:
    """Arrange the development rows of the tidy table as the paper's Table 1, in percent.

    Footnotes name what runs were flagged for. Nothing is bold: the best of many means says nothing
    about a difference.
    """
    experiments, with_paper = settings.experiments, settings.with_paper
    specs = settings.task_specs
    scored = [(task, metric) for task in settings.tasks for metric in specs[task].metrics]
    plain = [row for row in experiments if row.paper_row in NOT_DISTILLED]
    distilled = [row for row in experiments if row.paper_row not in NOT_DISTILLED]
    scores = _scores(frame)
    marks = flag_marks(flag for score in scores.values() for flag in score.flags)
    shared = _Shared(scores, scored, marks, with_paper)
    majority = [MAJORITY_ROW]
    return Table(
        title="Table 1",
        caption="Scores on the development sets, in percent.",
        columns=_columns(scored, settings),
        sections=[
            [_row(row, shared) for row in part] for part in (plain, distilled, majority) if part
        ],
        notes=[*notes, *flag_notes(marks)],
    )


def _scores(frame: pd.DataFrame) -> dict[tuple[str, str, str], Score]:
    rows = frame[frame["split"] == "validation"].to_dict("records")
    return {
        (row["experiment"], row["task"], row["metric"]): Score(
            mean=float(row["mean"]),
            std=float(row["std"]),
            n=0 if pd.isna(row["n"]) else int(row["n"]),
            paper=float(row["paper"]),
            flags=tuple(row["flags"].split()),
        )
        for row in rows
    }


def _columns(scored: Iterable[Scored], settings: Table1Settings) -> list[Column]:
    columns = [Column(name, align="l") for name in ("Experiment", "Description", "Head")]
    for task, metric in scored:
        title = settings.task_specs[task].title
        columns.append(Column(METRIC_TITLES[metric], group=title))
        if settings.with_paper:
            columns.append(Column(f"{METRIC_TITLES[metric]} paper", group=title))
    return [*columns, Column("n")]


def _row(experiment: Row, shared: _Shared) -> list[Cell]:
    name = experiment.name
    title = "" if name == MAJORITY else capitalized(name)
    row = [Cell(title), Cell(experiment.label), Cell(head_title(experiment.head))]
    for column in shared.scored:
        score = shared.scores[(name, *column)]
        marks = tuple(shared.marks[flag] for flag in score.flags)
        row.append(Cell(_mean_and_std(score), marks=marks))
        if shared.with_paper:
            row.append(Cell(_percent(score.paper)))
    counts = [shared.scores[(name, *column)].n for column in shared.scored]
    return [*row, Cell("" if name == MAJORITY else _range(counts))]


def _mean_and_std(score: Score) -> str:
    mean = _percent(score.mean)
    return mean if math.isnan(score.std) else f"{mean} ± {_percent(score.std)}"


def _percent(value: float) -> str:
    return MISSING if math.isnan(value) else f"{100 * value:.2f}"


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low}–{high}"
