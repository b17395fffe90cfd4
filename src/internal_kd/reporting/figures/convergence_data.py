"""What Figures 4 and 10 draw: development scores after each epoch, and finished layers."""

from collections.abc import Mapping, Sequence

import pandas as pd

from internal_kd.errors import UserError
from internal_kd.reporting.runs import RunFolder
from internal_kd.reporting.selection import development_score, runs_of
from internal_kd.reporting.wording import capitalized
from internal_kd.specs.figures import ConvergenceSettings
from internal_kd.tasks import get_task

COLUMNS = ["experiment", "seed", "epoch", "metric", "value", "finished_layer", "reason", "stage"]
WHOLE_NUMBERS = {"seed": "Int64", "epoch": "Int64", "finished_layer": "Int64"}


def build(runs: Sequence[RunFolder], settings: ConvergenceSettings) -> pd.DataFrame:
    """One row per run and epoch, with the development score (0 to 1) after it.

    `finished_layer` is the layer (from 1) that was finished then, `reason` why: its cosine loss
    fell below the threshold, or its epochs were used up (limit). `stage` is the layers that learn,
    or "output". The first rows, without an epoch, have the scores of the teacher's runs.

    Args:
        runs: of the teacher and the experiments.
        settings: of the figure.

    Raises:
        UserError: runs of several sizes or given twice, or a history is broken.
    """
    task = settings.task
    metric = get_task(task).selection_metric
    parts = [_teacher_row(run) for run in runs_of(runs, task, settings.teacher.name)]
    for row in settings.experiments:
        parts += [_epochs(run, metric) for run in runs_of(runs, task, row.name)]
    frame = pd.concat(parts) if parts else pd.DataFrame(columns=COLUMNS)
    frame = frame.assign(metric=metric).reindex(columns=COLUMNS).astype(WHOLE_NUMBERS)
    return frame.reset_index(drop=True).round({"value": 6})


def _teacher_row(run: RunFolder) -> pd.DataFrame:
    row = {"experiment": run.experiment, "seed": run.seed, "value": development_score(run)}
    return pd.DataFrame([row])


def _epochs(run: RunFolder, metric: str) -> pd.DataFrame:
    history = run.history()
    if missing := {"epoch", "stage", f"validation_{metric}"} - set(history.columns):
        raise UserError(
            f"{run.folder / 'history.csv'}: no column {min(missing)}; make the run again"
        )
    finished = {event.epoch: event for event in run.metrics.schedule}
    events = [finished.get(epoch) for epoch in history["epoch"]]
    return pd.DataFrame(
        {
            "experiment": run.experiment,
            "seed": run.seed,
            "epoch": history["epoch"],
            "value": history[f"validation_{metric}"],
            "finished_layer": [event.layer if event else None for event in events],
            "reason": [event.reason if event else None for event in events],
            "stage": history["stage"],
        }
    )


def teacher_scores(frame: pd.DataFrame) -> list[float]:
    """Scores (0 to 1) of the teacher's runs, ascending by seed."""
    return [float(score) for score in frame.loc[frame["epoch"].isna(), "value"]]


def drawn(frame: pd.DataFrame, settings: ConvergenceSettings) -> dict[str, pd.DataFrame]:
    """The epochs of each experiment that has runs."""
    names = [row.name for row in settings.experiments]
    epochs = frame.dropna(subset="epoch")
    parts = {name: epochs[epochs["experiment"] == name] for name in names}
    return {name: rows for name, rows in parts.items() if len(rows)}


def first_seed(rows: pd.DataFrame) -> pd.DataFrame:
    """The epochs of the lowest seed."""
    return rows[rows["seed"] == rows["seed"].min()]


def differing(shown: Mapping[str, pd.DataFrame]) -> str:
    """Which experiments have seeds that finish layers at different epochs."""
    names = []
    for name, rows in shown.items():
        events = rows.dropna(subset="finished_layer").groupby("seed")
        keys = ["epoch", "finished_layer", "reason"]
        if len({tuple(map(tuple, part[keys].to_numpy())) for _, part in events}) > 1:
            names.append(f"{capitalized(name)} (seed {rows['seed'].min()} marked)")
    return f"Seeds finish layers at different epochs: {', '.join(names)}." if names else ""
