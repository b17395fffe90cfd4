"""The look of Table 3: which number stands where, and the remarks below."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from internal_kd.reporting.formats import MISSING, Cell, Column, Table
from internal_kd.reporting.wording import capitalized
from internal_kd.tasks import get_task

Numbers = Mapping[Any, Any]

COLUMNS = (
    Column("Task", align="l"),
    Column("Student", align="l"),
    Column("all", group="Teacher right"),
    Column("student right", group="Teacher right"),
    Column("student wrong", group="Teacher right"),
    Column("all", group="Teacher wrong"),
    Column("student right", group="Teacher wrong"),
    Column("student wrong", group="Teacher wrong"),
    Column("Agreement (%)"),
    Column("Seeds"),
)


def layout(
    frame: pd.DataFrame,
    means: pd.DataFrame,
    settings: Mapping[str, Any],
    remarks: Sequence[str],
) -> Table:
    """Arrange the means over seeds as the paper's Table 3, a block of rows for each task.

    Args:
        frame: one row per task, student and seed.
        means: one row per task and student.
        settings: of the table.
        remarks: sentences on single runs, below the table.
    """
    rows = {(row["task"], row["experiment"]): row for row in means.to_dict("records")}
    students = (settings["standard"], settings["internal"])
    sections = [
        [
            line
            for student in students
            for line in _lines(task, student, rows.get((task, student["name"])), settings)
        ]
        for task in settings["tasks"]
    ]
    return Table(
        title="Table 3",
        caption="Right and wrong predictions of the students on the development sets, where the "
        "teacher is right and where it is wrong.",
        columns=COLUMNS,
        sections=sections,
        notes=_notes(frame, settings, remarks),
    )


def _lines(
    task: str, student: Mapping[str, str], row: Numbers | None, settings: Mapping[str, Any]
) -> list[list[Cell]]:
    """The row of a student on a task and, where there are any, the paper's numbers below it."""
    title = get_task(task).title
    name = f"{capitalized(student['name'])}: {student['label']}"
    if row is None:
        blank = [Cell(MISSING)] * (len(COLUMNS) - 3)
        return [[Cell(title), Cell(name), *blank, Cell("0")]]
    ours = [*_counts(row, ""), Cell(_agreement(row)), Cell(str(row["seeds"]))]
    lines = [[Cell(title), Cell(name), *ours]]
    if settings["with_paper"] and not math.isnan(row["paper_teacher_right"]):
        theirs = [*_counts(row, "paper_"), Cell(f"{100 * _papers_agreement(row):.1f}"), Cell("")]
        lines.append([Cell(title), Cell(f"{capitalized(student['name'])}, paper"), *theirs])
    return lines


def _agreement(row: Numbers) -> str:
    mean, low, high = (100 * row[f"agreement{end}"] for end in ("", "_low", "_high"))
    return f"{mean:.1f} [{low:.1f}, {high:.1f}]"


def _papers_agreement(row: Numbers) -> float:
    """Of two classes: who is right, or wrong, together has predicted the same."""
    same = row["paper_right_when_right"] + row["paper_wrong_when_wrong"]
    return float(same / (row["paper_teacher_right"] + row["paper_teacher_wrong"]))


def _counts(row: Numbers, prefix: str) -> list[Cell]:
    cells = []
    for teacher in ("right", "wrong"):
        whole = float(row[f"{prefix}teacher_{teacher}"])
        parts = [float(row[f"{prefix}{student}_when_{teacher}"]) for student in ("right", "wrong")]
        cells.append(Cell(_number(whole)))
        cells += [Cell(f"{_number(part)} ({_share(part, whole)})") for part in parts]
    return cells


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else MISSING


def _notes(frame: pd.DataFrame, settings: Mapping[str, Any], remarks: Sequence[str]) -> list[str]:
    percent = f"{100 * settings['confidence']:g} %"
    lines = [
        f"Study: {settings['study']}. Teacher: {capitalized(settings['teacher']['name'])}, trained "
        "once per task. Numbers of examples, for students the means over their seeds; in brackets "
        "the share of the examples that the teacher gets right, or wrong. Agreement: share of all "
        "examples for which student and teacher predict the same label, mean over seeds.",
        f"Intervals: Wilson's {percent} interval of the mean agreement for the number of "
        "development examples. All seeds answer the same examples, so more seeds do not narrow "
        "it; it does not show how far seeds differ (see the .csv).",
        *_missing(frame, settings),
        *_one_sided(frame, settings["tasks"]),
        *remarks,
    ]
    if settings["with_paper"]:
        lines.append(
            "The paper's numbers are those of its Table 3, on the development set of QQP; the "
            "agreement follows from them."
        )
    return [*lines, settings["note"]] if settings["note"] else lines


def _missing(frame: pd.DataFrame, settings: Mapping[str, Any]) -> list[str]:
    students = [settings[role]["name"] for role in ("standard", "internal")]
    found = set(zip(frame["task"], frame["experiment"], strict=True))
    absent = [
        f"{get_task(task).title} {capitalized(name)}"
        for task in settings["tasks"]
        for name in students
        if (task, name) not in found
    ]
    return [f"{MISSING}: no run of the student or of its teacher."] if absent else []


def _one_sided(frame: pd.DataFrame, tasks: Sequence[str]) -> list[str]:
    """A remark where the teacher is always right or always wrong."""
    always = {
        task: side
        for task, rows in frame.groupby("task")
        for side, other in (("right", "wrong"), ("wrong", "right"))
        if math.isclose(rows[f"teacher_{other}"].sum(), 0)
    }
    return [
        f"The teacher is always {always[task]} on {get_task(task).title}."
        for task in tasks
        if task in always
    ]
