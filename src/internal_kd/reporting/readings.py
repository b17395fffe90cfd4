"""Other readings of the paper: what each changes against the reading that is taken."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from internal_kd.evaluation.inference import (
    SEEDS_FOR_VERDICTS,
    Effect,
    benjamini_hochberg,
    benjamini_yekutieli,
    family,
)
from internal_kd.reporting import formats
from internal_kd.reporting.comparisons import Comparison, Differences, paired_by_seed
from internal_kd.reporting.formats import MISSING, Cell, Column, Row, Table, write_csv
from internal_kd.reporting.records import from_frame, to_frame
from internal_kd.reporting.runs import RunFolder, read_run_folders
from internal_kd.reporting.selection import mean_development_score, runs_of
from internal_kd.reporting.wording import METRIC_TITLES, points, power_text, seeds_sentences
from internal_kd.specs.tables import Reading, ReadingsSettings
from internal_kd.specs.tasks import Task

SCORES = ["score", "reference", "effect", "low", "high", "detectable"]


@dataclass(frozen=True)
class ReadingRow:
    """A row of the tidy table, see `build`; NaN stands for what was not found."""

    reading: str
    label: str
    of: str
    task: str
    metric: str
    seeds: int = 0
    n: int = 0
    score: float = math.nan
    reference: float = math.nan
    effect: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    p_tail: float = math.nan
    p_bh: float = math.nan
    p_by: float = math.nan
    detectable: float = math.nan


def write_readings(
    folders: Iterable[str | Path], settings: ReadingsSettings, out: str | Path
) -> None:
    """Write the table as `out` (tidy .csv) and, beside it, as .md and .tex.

    Args:
        folders: of the runs of all readings and of what they are readings of.
        settings: of the table.
        out: path of the .csv.

    Raises:
        UserError: a folder is none of a run, or runs are of different examples.
    """
    frame = build(read_run_folders(folders, settings.task_specs), settings)
    table = layout(frame, settings)
    out = Path(out)
    write_csv(frame, out)
    out.with_suffix(".md").write_text(formats.markdown(table), encoding="utf-8")
    out.with_suffix(".tex").write_text(
        formats.booktabs(table, label="tab:readings"), encoding="utf-8"
    )


def build(runs: Sequence[RunFolder], settings: ReadingsSettings) -> pd.DataFrame:
    """The tidy table: one row per reading and task, on the development set.

    `effect` is the reading's score minus that of the `reference`, by the metric that selects on the
    task (0 to 1, MCC -1 to 1), with interval and p of the test over examples and student seeds.
    `p_bh` and `p_by` are adjusted over all rows. `detectable` is the smallest difference that the
    test would have found with a probability of 80 %.
    """
    differences = Differences(runs, settings)
    rows = [
        _row(runs, differences, reading, settings.task_specs[task], settings.confidence)
        for reading in settings.readings
        for task in settings.tasks
    ]
    frame = to_frame(rows, ReadingRow)
    p_values = family(frame["p"].tolist(), frame["p_tail"].tolist())
    frame["p_bh"] = benjamini_hochberg(p_values)
    frame["p_by"] = benjamini_yekutieli(p_values)
    return frame.astype({"seeds": "Int64", "n": "Int64"}).round(dict.fromkeys(SCORES, 6))


def _row(
    runs: Sequence[RunFolder],
    differences: Differences,
    reading: Reading,
    task: Task,
    confidence: float,
) -> ReadingRow:
    metric = task.selection_metric
    row = ReadingRow(reading.name, reading.label, reading.of, task.name, metric)
    names = (reading.name, reading.of)
    effects = differences.effects(Comparison(task.name, *names, same_start=True))
    if not effects:
        return row
    both = paired_by_seed(*(runs_of(runs, task.name, name) for name in names))
    score, reference = map(mean_development_score, both)
    found = replace(row, score=score, reference=reference)
    return _with_effect(found, effects[metric], confidence)


def _with_effect(row: ReadingRow, effect: Effect, confidence: float) -> ReadingRow:
    low, high = effect.interval(confidence)
    return replace(
        row,
        seeds=effect.seeds,
        n=effect.n,
        effect=effect.value,
        low=low,
        high=high,
        p=effect.p(level=1 - confidence),
        p_tail=effect.tail_p,
        detectable=effect.detectable(confidence),
    )


def layout(frame: pd.DataFrame, settings: ReadingsSettings) -> Table:
    """A row per reading; a section for each experiment that has readings."""
    columns = [Column("Reading", align="l"), Column("of", align="l")]
    for shown in map(settings.task_specs.__getitem__, settings.tasks):
        group = f"{shown.title} {METRIC_TITLES[shown.selection_metric]}"
        columns += [Column("score", group), Column("difference", group)]
    rows = {(row.reading, row.task): row for row in from_frame(frame, ReadingRow)}
    sections: dict[str, list[Row]] = {}
    for reading in settings.readings:
        cells = [Cell(reading.label), Cell(reading.of_label)]
        for task in settings.tasks:
            cells += _cells(rows[reading.name, task], settings.confidence)
        sections.setdefault(reading.of, []).append(cells)
    return Table(
        title="Readings",
        caption="Other readings of the paper, each with one change against the experiment it is a "
        "reading of; development sets, percent.",
        columns=columns,
        sections=list(sections.values()),
        notes=_notes(frame, settings),
    )


def _cells(row: ReadingRow, confidence: float) -> list[Cell]:
    if not row.seeds:
        return [Cell(MISSING), Cell(MISSING)]
    interval = ""
    if not math.isnan(row.low):
        interval = f" [{points(row.low)}, {points(row.high)}]"
    judged = row.seeds >= SEEDS_FOR_VERDICTS and row.p_bh < 1 - confidence
    return [
        Cell(f"{100 * row.score:.1f}"),
        Cell(f"{points(row.effect)}{interval}", bold=bool(judged)),
    ]


def _notes(frame: pd.DataFrame, settings: ReadingsSettings) -> list[str]:
    share, level = f"{100 * settings.confidence:g} %", 1 - settings.confidence
    seeds = sorted(set(frame.loc[frame["seeds"] > 0, "seeds"]))
    notes = [
        f"Study: {settings.study}. Means over {' or '.join(map(str, seeds)) or 'no'} student "
        f"seeds; differences with the {share} interval of the test over examples and student "
        f"seeds. Bold: Benjamini-Hochberg p over the whole table below {level:.3g}."
    ]
    notes += seeds_sentences(seeds)
    if frame["detectable"].notna().any():
        medians = frame.groupby("task", sort=False)["detectable"].median()
        listed = ", ".join(
            f"{settings.task_specs[str(task)].title} {100 * value:.1f}"
            for task, value in medians.items()
        )
        notes.append(
            f"Differences of so many points (median of the rows) give {power_text(level)}: "
            f"{listed}."
        )
    return notes + ([settings.note] if settings.note else [])
