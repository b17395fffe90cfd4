"""Table 1: the development results of all experiments on all tasks."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from internal_kd.reporting import formats
from internal_kd.reporting.paper import paper_table1
from internal_kd.reporting.scores import (
    Run,
    code_versions,
    flags,
    majority,
    read_runs,
    scores,
    summary,
)
from internal_kd.reporting.table1_layout import MAJORITY, layout
from internal_kd.tasks import get_task

Experiment = Mapping[str, Any]

COLUMNS = ["experiment", "label", "task", "metric", "split", "mean", "std", "n", "paper", "flags"]
KEY = ["experiment", "task", "split", "metric"]
MAJORITY_LABEL = "Majority class"


def write_table1(
    metrics: Iterable[str | Path], settings: Mapping[str, Any], out: str | Path
) -> None:
    """Write Table 1 as `out` (tidy .csv) and, beside it, as .md and .tex.

    Args:
        metrics: the metrics.json of each run.
        settings: study (name), experiments (rows: name, label, paper_row), tasks (columns),
            with_paper (put the paper's values beside ours), note (a last line below the table).
        out: path of the .csv.
    """
    runs = read_runs(metrics)
    experiments, tasks, with_paper = (settings[k] for k in ("experiments", "tasks", "with_paper"))
    frame = build(runs, experiments, tasks, with_paper)
    table = layout(frame, experiments, tasks, with_paper, _notes(runs, settings))
    out = Path(out)
    frame.to_csv(out, index=False)
    out.with_suffix(".md").write_text(formats.markdown(table))
    out.with_suffix(".tex").write_text(formats.booktabs(table, label="tab:table1"))


def build(
    runs: Sequence[Run], experiments: Sequence[Experiment], tasks: Sequence[str], with_paper: bool
) -> pd.DataFrame:
    """The tidy table: one row per experiment, task, metric and split; scores from 0 to 1.

    `std` is the sample standard deviation over `n` runs, empty for one run; a missing run leaves
    n = 0 and no mean. `paper` is empty where the paper has no value or none is wanted. The test
    split has rows where the task's test labels are known. The last rows are the majority class.
    """
    found = pd.concat([summary(scores(runs)), majority(runs).assign(experiment=MAJORITY)])
    tested = set(found.loc[found["split"] == "test", "task"])
    rows = [
        (row["name"], row["label"], task, metric, split)
        for row in [*experiments, {"name": MAJORITY, "label": MAJORITY_LABEL}]
        for task in tasks
        for metric in get_task(task).metrics
        for split in ("validation", "test")
        if split == "validation" or task in tested
    ]
    frame = pd.DataFrame(rows, columns=["experiment", "label", "task", "metric", "split"])
    frame = frame.merge(found, on=KEY, how="left")
    frame["n"] = frame["n"].fillna(0).astype("Int64").mask(frame["experiment"] == MAJORITY)
    frame["paper"] = _paper_values(frame, experiments) if with_paper else float("nan")
    remarks = flags(runs)
    keys = zip(frame["experiment"], frame["task"], strict=True)
    frame["flags"] = [" ".join(remarks.get(key, ())) for key in keys]
    return frame[COLUMNS].round({"mean": 6, "std": 6, "paper": 4})


def _paper_values(frame: pd.DataFrame, experiments: Sequence[Experiment]) -> list[float | None]:
    """The paper's value (0 to 1) for each development row."""
    paper = paper_table1().set_index(["experiment", "task", "metric"])["value"]
    row_of = {row["name"]: row.get("paper_row") for row in experiments}
    return [
        paper.get((row_of.get(row.experiment), row.task, row.metric), float("nan")) / 100
        if row.split == "validation"
        else None
        for row in frame.itertuples()
    ]


def _notes(runs: Sequence[Run], settings: Mapping[str, Any]) -> list[str]:
    notes = [
        f"Study: {settings['study']}. Mean ± sample standard deviation over n runs, one per seed; "
        "the teacher (Exp1.0) is trained once per task. F1 is weighted by the classes' shares, "
        "as the paper's values suggest. Bold: best distilled student."
    ]
    if settings["note"]:
        notes.append(settings["note"])
    mixed = [kind for kind, codes in code_versions(runs).items() if len(codes) > 1]
    notes += [
        f"Attention: the {kind} were trained by different versions of the code "
        f"({', '.join(code_versions(runs)[kind])})."
        for kind in mixed
    ]
    return notes
