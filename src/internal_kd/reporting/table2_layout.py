"""The layout of Table 2: its cells and the remarks below."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from internal_kd.reporting.formats import MISSING, Cell, Column, Table
from internal_kd.reporting.records import from_frame
from internal_kd.reporting.runs import RunFolder
from internal_kd.reporting.selection import number_of_teachers, runs_of
from internal_kd.reporting.wording import (
    HEAD_NOTE,
    METRIC_TITLES,
    capitalized,
    flag_marks,
    flag_notes,
    head_title,
    seeds_sentences,
    teachers_sentences,
)
from internal_kd.specs.tables import Table2Settings
from internal_kd.specs.tasks import Task

STATUS_TEXTS = {"submit": "submit", "no_test": "no test", "missing": MISSING}
INTERNAL_LABEL = "Best internal distillation by development score"
PAPER_NOTE = (
    "The paper's values are those of its Table 2, scored by the GLUE server. Its heading "
    '"Acc./F1" names the two numbers of QQP and MRPC in the wrong order, they are F1/Acc.'
)
STATUS_NOTES = {
    "submit": "submit: the test labels are not public; the GLUE server scores the files of target "
    "glue_submission.zip.",
    "no_test": "no test: the data of the task have no test split.",
    "missing": f"{MISSING}: no run.",
}


@dataclass(frozen=True)
class Table2Row:
    """A row of the tidy table, see `table2.build`; NaN stands for no number."""

    experiment: str
    label: str
    head: str | None
    task: str
    metric: str
    chosen: str
    development: float
    mean: float
    std: float
    n: int
    paper: float
    status: str
    flags: str


@dataclass(frozen=True)
class _Shared:
    """What the lines of all experiments share."""

    labels: Mapping[str, str]
    letters: Mapping[str, str]
    with_paper: bool


def layout(frame: pd.DataFrame, settings: Table2Settings, remarks: Sequence[str]) -> Table:
    """Arrange the tidy table as the paper's Table 2, in percent with one decimal.

    Letters name what the runs of a cell were flagged for. Nothing is bold: the better of two means
    is no evidence of a difference.
    """
    letters = flag_marks(flag for flags in frame["flags"] for flag in flags.split())
    rows = {(row.experiment, row.task, row.metric): row for row in from_frame(frame, Table2Row)}
    names = list(dict.fromkeys(frame["experiment"]))
    scored = list(dict.fromkeys((task, metric) for _, task, metric in rows))
    shared = _Shared(_labels(settings), letters, settings.with_paper)
    lines = [_line([rows[name, *key] for key in scored], shared) for name in names]
    return Table(
        title="Table 2",
        caption="Scores on the test sets, in percent, of models chosen on the development sets.",
        columns=_columns(scored, settings),
        sections=[lines[:1], lines[1:]],
        notes=[*remarks, *flag_notes(letters)],
    )


def notes(frame: pd.DataFrame, runs: Sequence[RunFolder], settings: Table2Settings) -> list[str]:
    """The sentences below the table: how it was made, what was chosen, what is missing."""
    teacher = frame["experiment"] == settings.teacher.name
    students = frame.loc[~teacher & (frame["status"] == "scored"), "n"]
    lines = [
        f"Study: {settings.study}. Mean over n runs, one per seed, ± sample standard deviation "
        "from three runs on. F1 is the one of class 1, as GLUE's. Differences are tested elsewhere "
        "(significance), where the smallest that could have been detected is shown, too.",
        HEAD_NOTE,
        *teachers_sentences(number_of_teachers(runs, settings.teacher, settings.tasks)),
        *seeds_sentences(students),
        *_choice(frame, settings),
        *_unequal(runs, settings),
        *([PAPER_NOTE] if settings.with_paper else []),
        *(text for status, text in STATUS_NOTES.items() if status in set(frame["status"])),
    ]
    return [*lines, settings.note] if settings.note else lines


def _choice(frame: pd.DataFrame, settings: Table2Settings) -> list[str]:
    """What was chosen, by what score."""
    last = frame[frame["experiment"] == frame["experiment"].iloc[-1]].drop_duplicates("task")
    rows = from_frame(last, Table2Row)
    chosen = [_chosen(row, settings.task_specs[row.task]) for row in rows]
    return [
        f"{capitalized(last['experiment'].iloc[0])} is, on each task, the internal distillation "
        "with the highest mean development score, the first of equal ones; test scores are not "
        f"used for the choice. Chosen: {'; '.join(chosen)}."
    ]


def _chosen(row: Table2Row, task: Task) -> str:
    if not row.chosen:
        return f"{task.title} none, there are no runs"
    metric, score = METRIC_TITLES[task.selection_metric], _percent(row.development)
    head = head_title(row.head)
    return f"{task.title} {capitalized(row.chosen)} ({head} head, development {metric} {score})"


def _unequal(runs: Sequence[RunFolder], settings: Table2Settings) -> list[str]:
    """A warning where candidates were compared over different numbers of runs."""
    names = [row.name for row in settings.candidates]
    counts = {
        settings.task_specs[task].title: {name: len(runs_of(runs, task, name)) for name in names}
        for task in settings.tasks
    }
    return [
        f"Attention: the choice on {title} compares unequal numbers of runs: "
        f"{', '.join(f'{capitalized(name)} {n}' for name, n in found.items())}."
        for title, found in counts.items()
        if len(set(found.values())) > 1
    ]


def _columns(scored: Iterable[tuple[str, str]], settings: Table2Settings) -> list[Column]:
    columns = [Column(name, align="l") for name in ("Experiment", "Description", "Head")]
    for task, metric in scored:
        title = settings.task_specs[task].title
        columns.append(Column(METRIC_TITLES[metric], group=title))
        if settings.with_paper:
            columns.append(Column(f"{METRIC_TITLES[metric]} paper", group=title))
    return [*columns, Column("n")]


def _labels(settings: Table2Settings) -> dict[str, str]:
    return {row.name: row.label for row in (settings.teacher, settings.standard)}


def _line(rows: Sequence[Table2Row], shared: _Shared) -> list[Cell]:
    name = rows[0].experiment
    heads = dict.fromkeys(head_title(row.head) for row in rows)
    line = [Cell(capitalized(name)), Cell(shared.labels.get(name, INTERNAL_LABEL))]
    line.append(Cell(", ".join(filter(None, heads))))
    for row in rows:
        pointed = tuple(shared.letters[flag] for flag in row.flags.split())
        line.append(Cell(_text(row), marks=pointed))
        if shared.with_paper:
            line.append(Cell(_percent(row.paper)))
    counts = [row.n for row in rows if row.status == "scored"]
    return [*line, Cell(_range(counts))]


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts, default=MISSING), max(counts, default=MISSING)
    return str(low) if low == high else f"{low}–{high}"


def _text(row: Table2Row) -> str:
    if row.status != "scored":
        return STATUS_TEXTS[row.status]
    mean = _percent(row.mean)
    return mean if math.isnan(row.std) else f"{mean} ± {_percent(row.std)}"


def _percent(value: float) -> str:
    return MISSING if math.isnan(value) else f"{100 * value:.1f}"
