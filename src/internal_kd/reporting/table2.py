"""Table 2: test results of teacher, standard distillation and the best internal distillation."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev

import pandas as pd

from internal_kd.evaluation.inference import SEEDS_FOR_VERDICTS
from internal_kd.reporting import formats
from internal_kd.reporting.formats import write_csv
from internal_kd.reporting.paper_tables import paper_table2
from internal_kd.reporting.records import to_frame
from internal_kd.reporting.runs import RunFolder, read_run_folders
from internal_kd.reporting.selection import best_experiment, mean_development_score, runs_of
from internal_kd.reporting.table2_layout import Table2Row, layout, notes
from internal_kd.specs.reports import Row
from internal_kd.specs.tables import Table2Settings
from internal_kd.specs.tasks import Task

INTERNAL = "exp3.X"
NO_ROW = Row("", "")
GLUE_METRICS = {"qqp": ("f1", "accuracy"), "mrpc": ("f1", "accuracy")}


def write_table2(folders: Iterable[str | Path], settings: Table2Settings, out: str | Path) -> None:
    """Write Table 2 as `out` (tidy .csv) and, beside it, as .md and .tex.

    Args:
        folders: of the runs of Table 1.
        settings: of the table.
        out: path of the .csv.

    Raises:
        UserError: a folder is none of a run, or runs of several sizes are mixed.
    """
    runs = read_run_folders(folders, settings.task_specs)
    frame = build(runs, settings)
    table = layout(frame, settings, notes(frame, runs, settings))
    out = Path(out)
    write_csv(frame, out)
    out.with_suffix(".md").write_text(formats.markdown(table), encoding="utf-8")
    out.with_suffix(".tex").write_text(
        formats.booktabs(table, label="tab:table2"), encoding="utf-8"
    )


def build(runs: Sequence[RunFolder], settings: Table2Settings) -> pd.DataFrame:
    """The tidy table: one row per experiment, task and metric; scores from 0 to 1.

    The last experiment, exp3.X, is on each task the candidate with the best mean development
    score, named in `chosen`. `head` is what the student's head starts as, empty for the teacher.
    `development` is the mean over seeds of the task's selection metric. `mean` and `std` (sample
    standard deviation, empty for fewer than three runs) are over the `n` runs with a test score.
    `status` is one of: scored; submit (the test split has no labels, the GLUE
    server scores it); no_test (the data have no test split); missing (no run).
    """
    rows = [
        row
        for name, pick in _rows(settings)
        for task in settings.tasks
        for row in _scores(name, settings.task_specs[task], _chosen(runs, task, pick))
    ]
    frame = to_frame(rows, Table2Row)
    if settings.with_paper:
        paper = paper_table2().set_index(["experiment", "task", "metric"])["value"]
        keys = zip(frame["experiment"], frame["task"], frame["metric"], strict=True)
        frame["paper"] = [paper.get(key, math.nan) / 100 for key in keys]
    return frame.round({"development": 6, "mean": 6, "std": 6, "paper": 4})


def metrics_of(task: Task) -> tuple[str, ...]:
    """The metrics of a task in Table 2, those of GLUE: the F1 is the one of class 1."""
    return GLUE_METRICS.get(task.name, task.metrics)


def _rows(settings: Table2Settings) -> list[tuple[str, Sequence[Row]]]:
    """Name of each row and the experiments its runs are chosen from."""
    fixed = [settings.teacher, settings.standard]
    return [(row.name, [row]) for row in fixed] + [(INTERNAL, settings.candidates)]


@dataclass(frozen=True)
class _Choice:
    """What was chosen on a task: the experiment (as far as there is one), and its runs."""

    row: Row
    runs: Sequence[RunFolder]


def _chosen(runs: Sequence[RunFolder], task: str, pick: Sequence[Row]) -> _Choice:
    name = best_experiment(runs, task, [row.name for row in pick])
    rows = {row.name: row for row in pick}
    row = rows.get(name or "", pick[0] if len(pick) == 1 else NO_ROW)
    return _Choice(row, runs_of(runs, task, name) if name else [])


def _scores(experiment: str, task: Task, choice: _Choice) -> Iterator[Table2Row]:
    """Test scores of a row on a task, one for each metric."""
    runs = choice.runs
    for metric in metrics_of(task):
        values = [score for run in runs if (score := run.score(metric, "test")) is not None]
        yield Table2Row(
            experiment=experiment,
            label=choice.row.label,
            head=choice.row.head,
            task=task.name,
            metric=metric,
            chosen=runs[0].experiment if runs else "",
            development=mean_development_score(runs),
            mean=fmean(values) if values else math.nan,
            std=stdev(values) if len(values) >= SEEDS_FOR_VERDICTS else math.nan,
            n=len(values),
            paper=math.nan,
            status=_status(runs),
            flags=" ".join(sorted({flag for run in runs for flag in run.metrics.flags})),
        )


def _status(runs: Sequence[RunFolder]) -> str:
    if not runs:
        return "missing"
    if any(run.metrics.test for run in runs):
        return "scored"
    return "submit" if any("test" in run.predictions() for run in runs) else "no_test"
