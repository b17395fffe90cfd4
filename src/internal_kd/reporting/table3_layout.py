"""The layout of Table 3: its numbers and the remarks below."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from internal_kd.reporting.formats import MISSING, Cell, Column, Table
from internal_kd.reporting.records import columns_of, from_frame
from internal_kd.reporting.wording import (
    HEAD_NOTE,
    capitalized,
    head_title,
    points,
    power_text,
    seeds_sentences,
    starts_sentences,
)
from internal_kd.specs.reports import Row
from internal_kd.specs.tables import Table3Settings

MEAN = "mean"  # over seeds, in place of a seed
PAPER_NOTE = (
    "The paper's numbers are those of its Table 3, on the development set of QQP; the agreement "
    "follows from them."
)


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Numbers of examples by teacher and student being right or wrong, and their agreement.

    The four numbers `{right|wrong}_when_{right|wrong}` (student when teacher) sum to n; means over
    seeds need not be whole.
    """

    n: float
    teacher_right: float
    teacher_wrong: float
    right_when_right: float
    wrong_when_right: float
    right_when_wrong: float
    wrong_when_wrong: float
    agreement: float


@dataclass(frozen=True)
class Table3Row:
    """A row of the tidy table, see `table3.build`; NaN stands for no number."""

    task: str
    experiment: str
    label: str | None = None
    head: str | None = None
    seed: str = MEAN
    seeds: int = 0
    n: float = math.nan
    teacher_right: float = math.nan
    teacher_wrong: float = math.nan
    right_when_right: float = math.nan
    wrong_when_right: float = math.nan
    right_when_wrong: float = math.nan
    wrong_when_wrong: float = math.nan
    agreement: float = math.nan
    agreement_low: float = math.nan
    agreement_high: float = math.nan
    detectable: float = math.nan
    paper_teacher_right: float = math.nan
    paper_teacher_wrong: float = math.nan
    paper_right_when_right: float = math.nan
    paper_wrong_when_right: float = math.nan
    paper_right_when_wrong: float = math.nan
    paper_wrong_when_wrong: float = math.nan


COUNTS = [name for name in columns_of(Counts) if name not in ("n", "agreement")]
COLUMNS = (
    Column("Task", align="l"),
    Column("Student", align="l"),
    Column("Head", align="l"),
    Column("all", group="Teacher right"),
    Column("student right", group="Teacher right"),
    Column("student wrong", group="Teacher right"),
    Column("all", group="Teacher wrong"),
    Column("student right", group="Teacher wrong"),
    Column("student wrong", group="Teacher wrong"),
    Column("Agreement (%)"),
    Column("Seeds"),
)


def layout(frame: pd.DataFrame, settings: Table3Settings, remarks: Sequence[str]) -> Table:
    """Arrange the means over seeds as the paper's Table 3, a block of rows for each task.

    Args:
        frame: the tidy table.
        settings: of the table.
        remarks: sentences on single runs, below the table.
    """
    papers = [name for name in frame if str(name).startswith("paper_")]
    means = frame[frame["seed"] == MEAN].astype(dict.fromkeys(papers, float))
    rows = {(row.task, row.experiment): row for row in from_frame(means, Table3Row)}
    students = (settings.standard, settings.internal)
    sections = [
        [
            line
            for student in students
            for line in _lines(
                settings.task_specs[task].title, student, rows.get((task, student.name))
            )
        ]
        for task in settings.tasks
    ]
    return Table(
        title="Table 3",
        caption="Right and wrong predictions of the students on the development sets, where the "
        "teacher is right and where it is wrong.",
        columns=COLUMNS,
        sections=sections,
        notes=_notes(means, settings, remarks),
    )


def _lines(title: str, student: Row, row: Table3Row | None) -> list[list[Cell]]:
    """The row of a student on a task and, where there are any, the paper's numbers below it."""
    name = f"{capitalized(student.name)}: {student.label}"
    head = Cell(head_title(student.head))
    if row is None:
        blank = [Cell(MISSING)] * (len(COLUMNS) - 4)
        return [[Cell(title), Cell(name), head, *blank, Cell("0")]]
    ours = [*_counts(row, ""), Cell(_agreement(row)), Cell(str(row.seeds))]
    lines = [[Cell(title), Cell(name), head, *ours]]
    if not math.isnan(row.paper_teacher_right):
        theirs = [*_counts(row, "paper_"), Cell(f"{100 * _papers_agreement(row):.1f}"), Cell("")]
        of_paper = Cell(f"{capitalized(student.name)}, paper")
        lines.append([Cell(title), of_paper, Cell(""), *theirs])
    return lines


def _agreement(row: Table3Row) -> str:
    """The mean in percent, and its interval where anything varies."""
    mean, low, high = (100 * row.agreement, 100 * row.agreement_low, 100 * row.agreement_high)
    return f"{mean:.1f}" if math.isnan(low) else f"{mean:.1f} [{low:.1f}, {high:.1f}]"


def _papers_agreement(row: Table3Row) -> float:
    """Of two classes: who is right, or wrong, together has predicted the same."""
    same = row.paper_right_when_right + row.paper_wrong_when_wrong
    return float(same / (row.paper_teacher_right + row.paper_teacher_wrong))


def _counts(row: Table3Row, prefix: str) -> list[Cell]:
    cells, numbers = [], vars(row)
    for teacher in ("right", "wrong"):
        whole = numbers[f"{prefix}teacher_{teacher}"]
        parts = [numbers[f"{prefix}{student}_when_{teacher}"] for student in ("right", "wrong")]
        cells.append(Cell(_number(whole)))
        cells += [Cell(f"{_number(part)} ({_share(part, whole)})") for part in parts]
    return cells


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else MISSING


def _notes(means: pd.DataFrame, settings: Table3Settings, remarks: Sequence[str]) -> list[str]:
    percent = f"{100 * settings.confidence:g} %"
    names = [settings.standard.name, settings.internal.name]
    students = means[means["experiment"].isin(names)]
    return [
        f"Study: {settings.study}. Numbers of examples, means over seeds, where a student's "
        f"teacher ({capitalized(settings.teacher.name)}) is right and where it is wrong; in "
        "parentheses the share of these examples. Agreement: share of all examples for which "
        "student and teacher predict the same label, mean over seeds.",
        HEAD_NOTE,
        f"Intervals: {percent}, over examples and, from two seeds on, student seeds together.",
        *seeds_sentences(students["seeds"]),
        *_differences(means, settings),
        *_missing(students, settings),
        *_one_sided(students, settings),
        *remarks,
        *([PAPER_NOTE] if settings.with_paper else []),
        *([settings.note] if settings.note else []),
    ]


def _differences(means: pd.DataFrame, settings: Table3Settings) -> list[str]:
    """The difference in agreement on each task, and what could have been detected."""
    internal, standard = settings.internal, settings.standard
    rows = from_frame(means[means["head"].isna()], Table3Row)
    if not rows:
        return []
    names = " minus ".join(capitalized(row.name) for row in (internal, standard))
    power = power_text(1 - settings.confidence)
    known = not all(math.isnan(row.detectable) for row in rows)
    texts = [f"{settings.task_specs[row.task].title} {_difference(row)}" for row in rows]
    return [
        f"Difference in agreement, {names}, in points: {'; '.join(texts)}."
        + (f" Detectable: the smallest to be found ({power})." if known else ""),
        *starts_sentences(internal, standard),
    ]


def _difference(row: Table3Row) -> str:
    value, low, high = row.agreement, row.agreement_low, row.agreement_high
    interval = "" if math.isnan(low) else f" [{points(low)}, {points(high)}]"
    size = "" if math.isnan(row.detectable) else f", detectable {100 * row.detectable:.1f}"
    return f"{points(value)}{interval}{size}"


def _missing(students: pd.DataFrame, settings: Table3Settings) -> list[str]:
    complete = len(students) == 2 * len(settings.tasks)
    return [] if complete else [f"{MISSING}: no run of the student or of its teacher."]


def _one_sided(students: pd.DataFrame, settings: Table3Settings) -> list[str]:
    """A remark where the teacher is always right or always wrong."""
    always = {
        task: side
        for task, rows in students.groupby("task")
        for side, other in (("right", "wrong"), ("wrong", "right"))
        if math.isclose(rows[f"teacher_{other}"].sum(), 0)
    }
    return [
        f"The teacher is always {always[task]} on {settings.task_specs[task].title}."
        for task in settings.tasks
        if task in always
    ]
