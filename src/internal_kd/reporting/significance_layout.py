"""The compact table of significance: the paper's t-test, and the metric of each task."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from internal_kd.reporting.formats import MISSING, Cell, Column, Row, Table
from internal_kd.reporting.wording import METRIC_TITLES, capitalized
from internal_kd.tasks import get_task

TITLES = {"validation": "development sets", "test": "test sets"}
LABELS = {"validation": "tab:significance", "test": "tab:significance-test"}
ALPHA = 0.05
Record = Mapping[Any, Any]
Records = Mapping[tuple[str, ...], Record]


def layouts(frame: pd.DataFrame, settings: Mapping[str, Any]) -> dict[str, Table]:
    """A table for the development sets and, where labels are known, one for the test sets.

    Keys are their LaTeX labels.
    """
    splits = [s for s in TITLES if s == "validation" or (frame["split"] == s).any()]
    return {LABELS[s]: _layout(frame[frame["split"] == s], s, settings) for s in splits}


def _layout(frame: pd.DataFrame, split: str, settings: Mapping[str, Any]) -> Table:
    records: dict[tuple[str, ...], Record] = {
        (row["task"], row["experiment"], row["metric"], row["test"], row["unit"]): row
        for row in frame.to_dict("records")
    }
    shown = [task for task in settings["tasks"] if task in set(frame["task"])]
    sections = [[_row(records, task, c["name"]) for c in settings["candidates"]] for task in shown]
    standard = capitalized(settings["standard"]["name"])
    return Table(
        title="Significance",
        caption=f"Internal KD minus {standard} on the {TITLES[split]}, in points.",
        columns=_columns(settings["confidence"]),
        sections=[section for section in sections if section],
        notes=_notes(settings, list(records.values())),
    )


def _columns(confidence: float) -> list[Column]:
    difference = f"difference [{100 * confidence:g} %]"
    return [
        Column("Task", align="l"),
        Column("Experiment", align="l"),
        Column("n"),
        Column("Seeds"),
        Column(difference, group="Accuracy"),
        Column("p (t-test)", group="Accuracy"),
        Column("Metric", align="l"),
        Column(difference, group="Metric"),
        Column("p (permutation)", group="Metric"),
    ]


def _row(records: Records, task: str, experiment: str) -> Row:
    metric = get_task(task).selection_metric
    tested = records.get((task, experiment, "accuracy", "t", "examples"))
    drawn = records.get((task, experiment, metric, "bootstrap", "examples"))
    permuted = records.get((task, experiment, metric, "permutation", "examples"))
    return [
        Cell(get_task(task).title),
        Cell(capitalized(experiment)),
        Cell(MISSING if tested is None else str(tested["n"])),
        Cell(MISSING if tested is None else str(tested["seeds"])),
        Cell(_difference(tested)),
        _p_cell(tested),
        Cell(METRIC_TITLES[metric]),
        Cell(_difference(drawn)),
        _p_cell(permuted),
    ]


def _difference(record: Record | None) -> str:
    """The effect and its interval, in points."""
    if record is None or math.isnan(record["effect"]):
        return MISSING
    if math.isnan(record["low"]):
        return _points(record["effect"])
    return f"{_points(record['effect'])} [{_points(record['low'])}, {_points(record['high'])}]"


def _points(value: float) -> str:
    """A signed difference of scores in points; what rounds to zero has no sign."""
    rounded = round(100 * value, 1)
    return f"{rounded:+.1f}".replace("-", "−") if rounded else "0.0"


def _p_cell(record: Record | None) -> Cell:
    if record is None or math.isnan(record["p_holm"]):
        return Cell(MISSING)
    p = record["p_holm"]
    return Cell("< 0.001" if p < 0.001 else f"{p:.3f}", bold=p < ALPHA)


def _notes(settings: Mapping[str, Any], records: Sequence[Record]) -> list[str]:
    notes = [_reading(settings, records)]
    if settings["note"]:
        notes.append(settings["note"])
    seeds = [row["seeds"] for row in records if row["n"]]
    standard = capitalized(settings["standard"]["name"])
    if not seeds:
        notes.append(f"Nothing to compare: no internal KD has a seed in common with {standard}.")
    elif max(seeds) == 1:
        notes.append("One seed per experiment: nothing is known of the spread between seeds.")
    return notes + _remarks(records)


def _reading(settings: Mapping[str, Any], records: Sequence[Record]) -> str:
    """How to read the table."""
    of_paper = [row for row in records if (row["test"], row["unit"]) == ("t", "examples")]
    family = sum(not math.isnan(row["p"]) for row in of_paper)
    resamples = settings["resamples"]
    smallest = max(family, 1) / (resamples + 1)
    return (
        f"Study: {settings['study']}. Difference in the mean over seeds; p is two-sided and "
        f"adjusted by Holm in a family of {family} (all experiments on all tasks). Bold: p below "
        f"{ALPHA}, whatever the sign of the difference. Accuracy: paired t-test over examples. "
        "Metric: the one that selects on the task, with a bootstrap interval and a permutation "
        f"test ({resamples} resamples each; no p of this test can be below {smallest:.2g}). Unit: "
        "the example; intervals and p do not say how far other seeds would differ. The paper "
        "states p below 0.001 for every internal KD on every task."
    )


def _remarks(records: Sequence[Record]) -> list[str]:
    """A sentence for each comparison whose t-test over examples was not possible."""
    return [
        f"{capitalized(row['experiment'])} on {get_task(row['task']).title}: {row['remark']}."
        for row in records
        if row["remark"] and row["unit"] == "examples"
    ]
