"""Table 1: the development results of all experiments on all tasks."""

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from internal_kd.reporting import formats
from internal_kd.reporting.comparisons import Differences, with_baseline
from internal_kd.reporting.formats import write_csv
from internal_kd.reporting.paper import paper_table1
from internal_kd.reporting.runs import RunFolder, read_run_folders
from internal_kd.reporting.scores import LAST_EPOCH, flags, majority, scores, summary
from internal_kd.reporting.table1_layout import MAJORITY, MAJORITY_ROW, layout
from internal_kd.reporting.table1_notes import notes
from internal_kd.specs.reports import Row
from internal_kd.specs.tables import Table1Settings

Detectable = dict[tuple[str, str, str], float]  # by experiment, task and metric

COLUMNS = ["experiment", "label", "head", "baseline", "task", "metric", "split", "mean", "std", "n"]
COLUMNS += ["detectable", "paper", "flags"]
KEY = ["experiment", "task", "split", "metric"]


def write_table1(folders: Iterable[str | Path], settings: Table1Settings, out: str | Path) -> None:
    """Write Table 1 as `out` (tidy .csv) and, beside it, as .md and .tex.

    Args:
        folders: of the runs.
        settings: of the table; the detectable differences are resampled.
        out: path of the .csv.

    Raises:
        UserError: a folder is none of a run, or runs are of different examples.
    """
    runs = read_run_folders(folders, settings.task_specs)
    frame = build(runs, settings)
    table = layout(frame, settings, notes(frame, runs, settings))
    out = Path(out)
    write_csv(frame, out)
    out.with_suffix(".md").write_text(formats.markdown(table), encoding="utf-8")
    out.with_suffix(".tex").write_text(
        formats.booktabs(table, label="tab:table1"), encoding="utf-8"
    )


def build(runs: Sequence[RunFolder], settings: Table1Settings) -> pd.DataFrame:
    """The tidy table: one row per experiment, task, metric and split; scores from 0 to 1.

    The split `last_epoch` is the development set after the last epoch, where `validation` is after
    the kept one. The test split has rows where the task's test labels are known. `std` is the
    sample standard deviation over `n` runs, empty for fewer than three; a missing run leaves n = 0
    and no mean. `detectable` is the smallest difference from `baseline` that the seeds both have
    could have detected, empty for fewer than two. `paper` is empty where the paper has no value or
    none was requested. The last rows are the majority class.
    """
    found = _found(runs)
    tested = set(found.loc[found["split"] == "test", "task"])
    rows = [
        (row.name, row.label, row.head, row.baseline, task, metric, split)
        for row in [*settings.experiments, MAJORITY_ROW]
        for task in settings.tasks
        for metric in settings.task_specs[task].metrics
        for split in _splits(row, task in tested)
    ]
    frame = pd.DataFrame(rows, columns=COLUMNS[:7]).merge(found, on=KEY, how="left")
    frame["n"] = frame["n"].fillna(0).astype("Int64").mask(frame["experiment"] == MAJORITY)
    frame["detectable"] = _detectable_column(frame, _detectable(runs, settings))
    frame["paper"] = _paper_values(frame, settings) if settings.with_paper else math.nan
    remarks = flags(run.metrics for run in runs)
    keys = zip(frame["experiment"], frame["task"], strict=True)
    frame["flags"] = [" ".join(remarks.get(key, ())) for key in keys]
    return frame[COLUMNS].round({"mean": 6, "std": 6, "detectable": 6, "paper": 4})


def _found(runs: Sequence[RunFolder]) -> pd.DataFrame:
    """Means, standard deviations and numbers of runs, and the scores of the majority class."""
    metrics = [run.metrics for run in runs]
    return pd.concat([summary(scores(metrics)), majority(metrics).assign(experiment=MAJORITY)])


def _splits(row: Row, tested: bool) -> Iterator[str]:
    yield "validation"
    if row.name != MAJORITY:
        yield LAST_EPOCH
    if tested:
        yield "test"


def _detectable(runs: Sequence[RunFolder], settings: Table1Settings) -> Detectable:
    """Smallest difference of each experiment from its baseline on the development set."""
    differences = Differences(runs, settings)
    compared = [
        with_baseline(row, row, task)
        for row in settings.experiments
        for task in settings.tasks
        if row.baseline not in (None, row.name)
    ]
    return {
        (each.experiment, each.task, metric): effect.detectable(settings.confidence)
        for each in compared
        for metric, effect in differences.effects(each).items()
        if effect.seeds > 1
    }


def _detectable_column(frame: pd.DataFrame, known: Detectable) -> list[float]:
    return [
        known.get((experiment, task, metric), math.nan) if split == "validation" else math.nan
        for experiment, task, split, metric in zip(*(frame[name] for name in KEY), strict=True)
    ]


def _paper_values(frame: pd.DataFrame, settings: Table1Settings) -> list[float | None]:
    """The paper's value (0 to 1) for each development row."""
    paper = paper_table1().set_index(["experiment", "task", "metric"])["value"]
    row_of = {row.name: row.paper_row for row in settings.experiments}
    return [
        paper.get((row_of.get(experiment), task, metric), math.nan) / 100
        if split == "validation"
        else None
        for experiment, task, split, metric in zip(*(frame[name] for name in KEY), strict=True)
    ]
