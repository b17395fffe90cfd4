"""Notes below Table 1: how far its numbers can be trusted."""

from collections.abc import Sequence

import pandas as pd

from internal_kd.reporting.runs import RunFolder
from internal_kd.reporting.scores import LAST_EPOCH
from internal_kd.reporting.wording import (
    HEAD_NOTE,
    capitalized,
    power_text,
    seeds_sentences,
    teachers_sentences,
)
from internal_kd.specs.tables import Table1Settings


def notes(frame: pd.DataFrame, runs: Sequence[RunFolder], settings: Table1Settings) -> list[str]:
    """Sentences below the table.

    Args:
        frame: the tidy table.
        runs: that it was made from.
        settings: of the table.
    """
    shown = _selection_rows(frame, settings)
    students = shown[(shown["split"] == "validation") & shown["head"].notna()]
    teachers = shown.loc[(shown["split"] == "validation") & shown["head"].isna(), "n"].dropna()
    return [
        f"Study: {settings.study}. Mean over n runs, one per seed, ± sample standard deviation "
        "from three runs on. F1 is weighted by the classes' shares, as the paper's values suggest. "
        "Differences are tested elsewhere (significance), not here.",
        HEAD_NOTE,
        *teachers_sentences(max(teachers, default=0)),
        *seeds_sentences(students["n"]),
        *_detectable(shown, settings),
        *_choice_of_epoch(shown, settings),
        *([settings.note] if settings.note else []),
    ]


def _selection_rows(frame: pd.DataFrame, settings: Table1Settings) -> pd.DataFrame:
    """The rows in the metric that selects on the task."""
    selects = [settings.task_specs[task].selection_metric for task in frame["task"]]
    return frame[frame["metric"] == selects]


def _detectable(shown: pd.DataFrame, settings: Table1Settings) -> list[str]:
    """Per task the smallest detectable difference, from the least to the greatest of the rows."""
    known = shown.dropna(subset="detectable")
    by_task = {task: known.loc[known["task"] == task, "detectable"] for task in settings.tasks}
    titles = {name: task.title for name, task in settings.task_specs.items()}
    texts = [f"{titles[task]} {_range(v)}" for task, v in by_task.items() if len(v)]
    if not texts:
        return []
    return [
        "Smallest difference between a row and the standard KD with its start that these runs "
        f"could have detected ({power_text(1 - settings.confidence)}), in points of the metric "
        f"that selects on the task: {', '.join(texts)}."
    ]


def _range(values: "pd.Series[float]") -> str:
    low, high = (f"{100 * value:.1f}" for value in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"


def _choice_of_epoch(shown: pd.DataFrame, settings: Table1Settings) -> list[str]:
    """How much higher the kept epoch scores than the last one, on the set that is shown."""
    means = shown.pivot(index=["task", "experiment"], columns="split", values="mean")
    if LAST_EPOCH not in means:
        return []
    gains = (means["validation"] - means[LAST_EPOCH]).dropna()
    by_task = {task: gains[task] for task in settings.tasks if task in gains.index}
    if not gains.any():  # no runs, or those that keep the last epoch
        return []
    titles = {name: task.title for name, task in settings.task_specs.items()}
    texts = [f"{titles[task]} {100 * v.mean():.1f}" for task, v in by_task.items()]
    task, experiment = gains.sort_values().index[-1]
    largest = f"{capitalized(experiment)} on {titles[task]}"
    return [
        "Each run keeps its best epoch. On the sets shown the "
        f"kept epoch scores {100 * gains.mean():.1f} points above the last one in the mean over "
        f"rows ({', '.join(texts)}), at most by {100 * gains.max():.1f} ({largest}). Where "
        "it is chosen on these very sets, scores are too high by a part of that."
    ]
