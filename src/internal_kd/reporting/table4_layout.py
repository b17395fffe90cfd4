"""The layout of Table 4: texts, predictions with their probabilities, and the remarks below."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from internal_kd.reporting.formats import Cell, Column, Table
from internal_kd.reporting.records import from_frame
from internal_kd.reporting.wording import capitalized, head_title
from internal_kd.specs.reports import Row
from internal_kd.specs.tables import Table4Settings
from internal_kd.specs.tasks import Task

TINY = 1e-3  # probabilities below it are written with an exponent
COLUMNS = (
    Column("No."),
    Column("Task", align="l"),
    Column("Development example", align="l"),
    Column("Class"),
    Column("Teacher"),
    Column("Standard KD"),
    Column("Internal KD"),
)
TITLES = {"internal": "internal KD", "standard": "standard KD"}


@dataclass(frozen=True)
class Case:
    """An example that can stand in the table, see `table4.cases`."""

    task: str
    wrong: str
    found: int
    index: int
    idx: int
    text_1: str
    text_2: str
    label: int
    teacher_prediction: int
    teacher_probability: float
    standard_prediction: int
    standard_probability: float
    internal_prediction: int
    internal_probability: float


def layout(
    frame: pd.DataFrame,
    found: Mapping[str, pd.DataFrame | None],
    settings: Table4Settings,
    remarks: Sequence[str],
) -> Table:
    """Arrange the drawn examples as the paper's Table 4, a block of rows for each task.

    The wrong prediction of each row is bold.

    Args:
        frame: the drawn examples.
        found: by task, all examples they were drawn from; None where a run is missing.
        settings: of the table.
        remarks: sentences on single runs, below the table.
    """
    lines = [
        _line(number, case, settings.task_specs[case.task])
        for number, case in enumerate(from_frame(frame, Case), start=1)
    ]
    tasks = list(frame["task"])
    return Table(
        title="Table 4",
        caption="Development examples on which the teacher is right and one student alone is "
        "wrong: predicted labels, and the probability of class 1 in parentheses.",
        columns=COLUMNS,
        sections=[
            [line for line, owner in zip(lines, tasks, strict=True) if owner == task]
            for task in dict.fromkeys(tasks)
        ],
        notes=[*_notes(frame, found, settings), *remarks, *_own(settings)],
    )


def wrapped(latex: str) -> str:
    """The LaTeX table with the column of texts as wide as half a line, broken into several."""
    plain = "".join(column.align for column in COLUMNS)
    paragraphs = plain.replace("ll", "lp{0.45\\linewidth}", 1)
    return latex.replace(f"{{tabular}}{{{plain}}}", f"{{tabular}}{{{paragraphs}}}", 1)


def probability(value: float) -> str:
    """A probability as the paper prints it: 0.9999, 0.0017, 1.2e-4."""
    if value == 0 or value >= TINY:
        return f"{value:.4f}"
    digits, exponent = f"{value:.1e}".split("e")
    return f"{digits}e{int(exponent)}"


def _line(number: int, case: Case, task: Task) -> list[Cell]:
    answers = {
        "teacher": (case.teacher_prediction, case.teacher_probability),
        "standard": (case.standard_prediction, case.standard_probability),
        "internal": (case.internal_prediction, case.internal_probability),
    }
    cells = [
        Cell(f"{label} ({probability(sure)})", bold=role == case.wrong)
        for role, (label, sure) in answers.items()
    ]
    first = [str(number), task.title, _text(task, case), str(case.label)]
    return [*map(Cell, first), *cells]


def _text(task: Task, case: Case) -> str:
    """The texts of an example on one line, with the initials of their columns for a pair."""
    texts = [" ".join(str(text).split()) for text in (case.text_1, case.text_2)]
    if len(task.text_columns) == 1:
        return texts[0]
    marks = [
        column[0].upper() + column.lstrip("abcdefghijklmnopqrstuvwxyz")
        for column in task.text_columns
    ]
    return " ".join(f"{mark}: {text}" for mark, text in zip(marks, texts, strict=True))


def _notes(
    frame: pd.DataFrame, found: Mapping[str, pd.DataFrame | None], settings: Table4Settings
) -> list[str]:
    return [
        f"Study: {settings.study}. Teacher: {_named(settings.teacher)}; standard KD: "
        f"{_named(settings.standard)}; internal KD: {_named(settings.internal)}; students of seed "
        f"{settings.student_seed}. Up to {settings.examples} examples per task and wrong student, "
        f"drawn at random with seed {settings.seed}. Bold: the wrong prediction.",
        "The number in parentheses is the probability of class 1 whatever the prediction, as in "
        "the numbers of the paper's Table 4 (its caption says: of the prediction).",
        *(_count(settings.task_specs[task], cases, frame) for task, cases in found.items()),
    ]


def _own(settings: Table4Settings) -> list[str]:
    """The note of the study, if it has one."""
    return [settings.note] if settings.note else []


def _named(experiment: Row) -> str:
    """Name, label and, of a student, what its head starts as."""
    head = head_title(experiment.head)
    parts = [experiment.label, *([f"head: {head}"] if head else [])]
    return f"{capitalized(experiment.name)} ({', '.join(parts)})"


def _count(task: Task, cases: pd.DataFrame | None, frame: pd.DataFrame) -> str:
    """How many examples of a task there are, and how many of them are shown."""
    if cases is None:
        return f"{task.title}: no examples, a run of the teacher or of a student is missing."
    parts = []
    for student in TITLES:
        total = int((cases["wrong"] == student).sum())
        shown = int(((frame["task"] == task.name) & (frame["wrong"] == student)).sum())
        parts.append(f"{TITLES[student]} alone is wrong on {total or 'none'} ({shown} shown)")
    return f"{task.title}: {', '.join(parts)}."
