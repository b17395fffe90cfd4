"""Whether the default study has converged: its scores beside those of half as many epochs again.

snakemake --cores all results/table1.csv
snakemake --cores all --configfile studies/longer.yaml -- results/longer/table1.csv
python -m benchmarks.convergence --runs results --longer results/longer
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from internal_kd.evaluation.comparison import score_differences
from internal_kd.reporting.runs import RunFolder, read_run_folders, select
from internal_kd.reporting.splits import labelled_predictions
from internal_kd.study.glue import GLUE

COLUMNS = ["task", "experiment", "metric", "seeds", "epochs", "score", "longer_epochs"]
COLUMNS += ["longer_score", "change", "error", "converged"]
MEAN, ROW, ERRORS = 0.01, 0.02, 3  # largest change of a task's mean and of a row, standard errors
RESAMPLES = 2000


def build(runs: Sequence[RunFolder], longer: Sequence[RunFolder]) -> pd.DataFrame:
    """A row per task and experiment that both have: development scores (0 to 1) by the metric that
    selects on the task, the change, and its standard error over examples and seeds.

    A row has `converged` if it changes by at most 2 points or 3 standard errors (the larger one).

    Args:
        runs: with all data and every depth that Table 1 has.
        longer: the same with more epochs.
    """
    keys = sorted({(run.task, run.experiment, run.layers) for run in longer})
    return pd.DataFrame([_row(runs, longer, *key) for key in keys], columns=COLUMNS)


def _row(
    runs: Sequence[RunFolder], longer: Sequence[RunFolder], task: str, experiment: str, layers: int
) -> list[object]:
    metric = GLUE[task].selection_metric
    size = {"task": task, "experiment": experiment, "layers": layers, "percent": 100}
    known = {run.seed for run in select(longer, **size)}
    before = [run for run in select(runs, **size) if run.seed in known]
    after = [run for run in select(longer, **size) if run.seed in {run.seed for run in before}]
    frames = labelled_predictions([*before, *after], "validation") or []
    answers = np.stack([frame.predictions for frame in frames])
    first, second = answers[: len(before)], answers[len(before) :]
    rng = np.random.default_rng(0)
    effect = score_differences(frames[0].labels, second, first, RESAMPLES, rng)[metric]
    scores = [np.mean([run.score(metric) for run in found]) for found in (before, after)]
    return [
        *(task, experiment, metric, len(before)),
        *(_epochs(before[0]), scores[0], _epochs(after[0]), scores[1]),
        *(effect.value, effect.error),
        abs(effect.value) <= max(ROW, ERRORS * effect.error),
    ]


def _epochs(run: RunFolder) -> int:
    return len(run.history())


def summary(frame: pd.DataFrame) -> str:
    """As Markdown, in percent: before -> after for each row, and the mean change of each task."""
    tasks = list(dict.fromkeys(frame["task"]))
    head = ["experiment", *(GLUE[task].title for task in tasks)]
    lines = [head, ["---"] * len(head)]
    for experiment, rows in frame.groupby("experiment"):
        by_task = rows.set_index("task")
        lines.append([str(experiment), *(_cell(by_task.loc[task]) for task in tasks)])
    means = frame.groupby("task")["change"].mean()
    lines.append(["mean change", *(f"{100 * means[task]:+.1f}" for task in tasks)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(row: pd.Series) -> str:
    mark = "" if row["converged"] else " *"
    change = f"{100 * row['change']:+.1f} ± {100 * row['error']:.1f}{mark}"
    return f"{100 * row['score']:.1f} → {100 * row['longer_score']:.1f} ({change})"


def folders(results: Path) -> list[RunFolder]:
    """All runs of a results folder on all data."""
    found = sorted(results.glob("runs/*/*/*/train100/*/metrics.json"))
    return read_run_folders((path.parent for path in found), GLUE)


def main() -> None:
    """Compare, write the rows, and print them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.convergence", description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("results"))
    parser.add_argument("--longer", type=Path, default=Path("results/longer"))
    parser.add_argument("--out", type=Path, default=Path("docs/data/embedded_convergence.csv"))
    args = parser.parse_args()
    frame = build(folders(args.runs), folders(args.longer))
    frame.round(6).to_csv(args.out, index=False, lineterminator="\n")
    print(summary(frame))


if __name__ == "__main__":
    main()
