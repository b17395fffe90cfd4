"""The compact tables of significance, and the notes below them."""

import math
from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from internal_kd.evaluation.inference import SEEDS_FOR_VERDICTS
from internal_kd.reporting.formats import MISSING, Cell, Column, Row, Table
from internal_kd.reporting.records import from_frame
from internal_kd.reporting.significance_rows import (
    EXPLORATORY,
    MEAN,
    PAPER,
    PRIMARY,
    SignificanceRow,
)
from internal_kd.reporting.wording import (
    METRIC_TITLES,
    capitalized,
    points,
    power_text,
    seeds_sentences,
    starts_sentences,
    teachers_sentences,
)
from internal_kd.specs.tables import SignificanceSettings
from internal_kd.specs.tasks import Task


def primary_notes(records: Sequence[SignificanceRow], settings: SignificanceSettings) -> list[str]:
    """Below the primary comparison."""
    level = 1 - settings.confidence
    return [
        f"Study: {settings.study}. The primary comparison: difference of the mean over seeds in "
        "the metric that selects on the task. One test takes examples and student seeds as sources "
        "of chance together; p is two-sided. p (Holm) is adjusted over the tasks and starts from a "
        "distribution with heavier tails; the mean over tasks is a test of its own. Verdicts "
        f"(bold): adjusted p below {level:.3g}, from {SEEDS_FOR_VERDICTS} seeds on.",
        _detectable(level),
        *teachers_sentences(settings.teachers),
        *seeds_sentences(row.seeds for row in records),
        *starts_sentences(settings.internal, settings.standard),
        *_remarks(records, settings),
        *_end(settings),
    ]


def exploratory_notes(
    records: Sequence[SignificanceRow], settings: SignificanceSettings
) -> list[str]:
    """Below the comparisons of every internal KD."""
    tested = sum(record.n > 0 for record in records)
    nothing = "Nothing to compare: no internal KD has a seed in common with its standard KD."
    return [
        f"Study: {settings.study}. Exploratory: hints for further studies, no verdicts. The "
        "test is the one over examples and seeds together; p (BH) and p (BY) bound the share of "
        f"false discoveries over the whole table ({tested} tested), after Benjamini and Hochberg, "
        "and after Benjamini and Yekutieli, which holds whatever the comparisons share; they start "
        "from a distribution with heavier tails.",
        _detectable(1 - settings.confidence),
        *teachers_sentences(settings.teachers),
        *([] if tested else [nothing]),
        *seeds_sentences(row.seeds for row in records),
        *_footnote(records),
        *_remarks(records, settings),
        *_end(settings),
    ]


def paper_notes(records: Sequence[SignificanceRow], settings: SignificanceSettings) -> list[str]:
    """Below the tests as in the paper."""
    resamples = settings.resamples
    return [
        f"Study: {settings.study}. As in the paper, without a verdict: these tests take either "
        "the examples (t-test, McNemar, bootstrap, permutation) or the seeds (t over seeds) as the "
        "only source of chance, and call equal methods different far too often where both differ. "
        f"All p are two-sided and not adjusted; with {resamples} resamples none is below "
        f"{1 / (resamples + 1):.2g}. What these runs could have detected is in the table "
        "above. The paper states p below 0.001 for every internal KD on every task.",
        *_footnote(records),
        *_end(settings),
    ]


def _detectable(level: float) -> str:
    return (
        "Detectable: the smallest difference, in points, that these runs could have detected "
        f"({power_text(level)}, before adjustment); unknown with one seed."
    )


def _footnote(records: Sequence[SignificanceRow]) -> list[str]:
    """The mark of comparisons across starts."""
    text = "a: across starts, a hint only: the study has no standard KD with the same head, layers "
    return [] if all(row.same_start for row in records) else [f"{text}and training settings."]


def _remarks(records: Sequence[SignificanceRow], settings: SignificanceSettings) -> list[str]:
    """A sentence for each comparison that was not possible."""
    return [
        f"{capitalized(row.experiment)} on {_title(row.task, settings)}: {row.remark}."
        for row in records
        if math.isnan(row.p)
    ]


def _title(task: str, settings: SignificanceSettings) -> str:
    return "the mean of tasks" if task == MEAN else settings.task_specs[task].title


def _end(settings: SignificanceSettings) -> list[str]:
    return [settings.note] if settings.note else []


SPLITS = {"validation": "development sets", "test": "test sets"}
LABEL = "tab:significance"
ACROSS = "a"  # footnote of comparisons across starts
JUDGED = ("better", "worse")
Records = Mapping[tuple[str, ...], SignificanceRow]


def layouts(frame: pd.DataFrame, settings: SignificanceSettings) -> dict[str, Table]:
    """The tables by their LaTeX labels: the primary comparison on the development sets, then for
    the development sets and, where labels are known, the test sets all others and the tests as in
    the paper.
    """
    splits = [s for s in SPLITS if s == "validation" or (frame["split"] == s).any()]
    tables = {LABEL: _primary(frame, settings)}
    for split in splits:
        suffix = "-test" if split == "test" else ""
        rows = frame[frame["split"] == split]
        tables[f"{LABEL}-all{suffix}"] = _exploratory(rows, split, settings)
        tables[f"{LABEL}-paper{suffix}"] = _paper(rows, split, settings)
    return tables


def _primary(frame: pd.DataFrame, settings: SignificanceSettings) -> Table:
    records = from_frame(frame[frame["family"] == PRIMARY], SignificanceRow)
    titles = {name: task.title for name, task in settings.task_specs.items()}
    tasks = [[_primary_row(row, titles[row.task]) for row in records if row.task != MEAN]]
    mean = [[_primary_row(row, "Mean of tasks") for row in records if row.task == MEAN]]
    names = [capitalized(row.name) for row in (settings.internal, settings.standard)]
    return Table(
        title="Significance",
        caption=f"{names[0]} minus {names[1]} on the development sets, in points.",
        columns=_primary_columns(settings.confidence),
        sections=[section for section in (*tasks, *mean) if section],
        notes=primary_notes(records, settings),
    )


def _primary_columns(confidence: float) -> list[Column]:
    names = [_difference_title(confidence), "p", "p (Holm)", "Detectable"]
    return [
        Column("Task", align="l"),
        Column("Metric", align="l"),
        Column("n"),
        Column("Seeds"),
        *map(Column, names),
        Column("Verdict", align="l"),
    ]


def _primary_row(record: SignificanceRow, title: str) -> Row:
    mean = record.task == MEAN
    bold = record.verdict in JUDGED
    return [
        Cell(title),
        Cell("each task's" if mean else METRIC_TITLES[record.metric]),
        *_sizes(record),
        Cell(_difference(record), bold=bold),
        Cell(_p(record.p)),
        Cell(_p(record.p_holm), bold=bold),
        Cell(_size(record.detectable)),
        Cell(record.verdict or MISSING, bold=bold),
    ]


def _exploratory(frame: pd.DataFrame, split: str, settings: SignificanceSettings) -> Table:
    records = from_frame(frame[frame["family"] == EXPLORATORY], SignificanceRow)
    return Table(
        title="Significance",
        caption=f"Every internal KD minus the standard KD with its start on the {SPLITS[split]}, "
        "in points: exploratory.",
        columns=_exploratory_columns(settings.confidence),
        sections=_by_task(records, _exploratory_row, settings),
        notes=exploratory_notes(records, settings),
    )


def _exploratory_columns(confidence: float) -> list[Column]:
    names = [_difference_title(confidence), "p", "p (BH)", "p (BY)", "Detectable"]
    return [*_compared_columns(), Column("Metric", align="l"), *map(Column, names)]


def _exploratory_row(record: SignificanceRow, task: Task) -> Row:
    return [
        *_compared(record, task),
        Cell(METRIC_TITLES[record.metric]),
        Cell(_difference(record)),
        *(Cell(_p(value)) for value in (record.p, record.p_bh, record.p_by)),
        Cell(_size(record.detectable)),
    ]


def _paper(frame: pd.DataFrame, split: str, settings: SignificanceSettings) -> Table:
    tests = from_frame(frame[frame["family"] == PAPER], SignificanceRow)
    found: Records = {
        (row.task, row.experiment, row.metric, row.test, row.unit): row for row in tests
    }
    compared = [row for row in tests if (row.test, row.unit) == ("t", "examples")]
    return Table(
        title="Significance",
        caption=f"The same differences on the {SPLITS[split]} with tests as in the paper.",
        columns=_paper_columns(settings.confidence),
        sections=_by_task(compared, lambda record, task: _paper_row(record, task, found), settings),
        notes=paper_notes(tests, settings),
    )


def _paper_columns(confidence: float) -> list[Column]:
    difference = _difference_title(confidence)
    return [
        *_compared_columns(),
        *(Column(name, group="Accuracy") for name in (difference, "p (t-test)", "p (McNemar)")),
        Column("Metric", align="l"),
        *(
            Column(name, group="Metric")
            for name in (difference, "p (bootstrap)", "p (permutation)", "p (t over seeds)")
        ),
    ]


def _paper_row(record: SignificanceRow, task: Task, found: Records) -> Row:
    metric = task.selection_metric
    key = (record.task, record.experiment)
    tests = [("accuracy", "mcnemar", "examples"), (metric, "bootstrap", "examples")]
    tests += [(metric, "permutation", "examples"), (metric, "t", "seeds")]
    mcnemar, drawn, permuted, seeds = (found[(*key, *test)] for test in tests)
    return [
        *_compared(record, task),
        Cell(_difference(record)),
        Cell(_p(record.p)),
        Cell(_p(mcnemar.p)),
        Cell(METRIC_TITLES[metric]),
        Cell(_difference(drawn)),
        *(Cell(_p(row.p)) for row in (drawn, permuted, seeds)),
    ]


def _by_task(
    records: Sequence[SignificanceRow],
    row: Callable[[SignificanceRow, Task], Row],
    settings: SignificanceSettings,
) -> list[list[Row]]:
    """Rows in sections of a task each."""
    sections = [
        [row(record, settings.task_specs[task]) for record in records if record.task == task]
        for task in settings.tasks
    ]
    return [section for section in sections if section]


def _compared_columns() -> list[Column]:
    names = ("Task", "Experiment", "Baseline")
    return [*(Column(name, align="l") for name in names), Column("n"), Column("Seeds")]


def _compared(record: SignificanceRow, task: Task) -> list[Cell]:
    marks = () if record.same_start else (ACROSS,)
    return [
        Cell(task.title),
        Cell(capitalized(record.experiment)),
        Cell(capitalized(record.baseline), marks=marks),
        *_sizes(record),
    ]


def _sizes(record: SignificanceRow) -> list[Cell]:
    """Examples and seeds."""
    return [Cell(str(size) if record.n else MISSING) for size in (record.n, record.seeds)]


def _difference_title(confidence: float) -> str:
    return f"difference [{100 * confidence:g} %]"


def _difference(record: SignificanceRow) -> str:
    """The effect and its interval, in points."""
    if math.isnan(record.effect):
        return MISSING
    if math.isnan(record.low):
        return points(record.effect)
    return f"{points(record.effect)} [{points(record.low)}, {points(record.high)}]"


def _size(value: float) -> str:
    """A size of a difference, in points."""
    return MISSING if math.isnan(value) else f"{100 * value:.1f}"


def _p(value: float) -> str:
    if math.isnan(value):
        return MISSING
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
