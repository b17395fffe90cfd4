"""Whether teacher and students are as sure as they are right: reliability diagrams by task.

Table 4 of the paper puts the probabilities of single examples beside each other; this figure and
its summary, which the paper does not have, judge them on the whole development set.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from internal_kd.evaluation.calibration import BINS, Calibration, calibration, reliability
from internal_kd.evaluation.predictions import SplitPredictions
from internal_kd.reporting.development import development_predictions
from internal_kd.reporting.figures import lines, remarks
from internal_kd.reporting.figures.lines import SEEDS_FOR_BANDS
from internal_kd.reporting.figures.style import (
    COLORS,
    COLUMN_WIDTH,
    MARKERS,
    PAGE_WIDTH,
    new_figure,
    save_figure,
)
from internal_kd.reporting.formats import write_csv
from internal_kd.reporting.runs import RunFolder, read_run_folders
from internal_kd.reporting.selection import runs_of
from internal_kd.reporting.wording import capitalized, flag_sentences
from internal_kd.specs.figures import CalibrationSettings

KEYS = ["task", "experiment", "role"]
BIN_COLUMNS = [*KEYS, "seeds", "low", "high", "count", "confidence", "accuracy"]
MEASURES = ["ece", "brier", "confidence", "accuracy", "over_confidence"]
SUMMARY_COLUMNS = [*KEYS, "seeds", "n", *MEASURES, *(f"{name}_std" for name in MEASURES)]

MOST_COLUMNS = 4  # of panels
ROW_HEIGHT, HEAD = 2.0, 0.3  # inches
ERROR_PLACES = (0.0, 0.4, 0.62, 0.84)  # of the width of a panel
SMALLEST_MARKER, LARGEST_MARKER = 6.0, 45.0  # square points


def write_calibration(
    runs: Iterable[str | Path], settings: CalibrationSettings, out: str | Path
) -> None:
    """Write the figure as `out` (.csv, see `build_bins`), .pdf and .png.

    `<stem>_summary.csv` beside it has one row per task and experiment, see `build_summary`.

    Args:
        runs: folders of the runs of all experiments on all tasks.
        settings: of the figure; its tasks are the panels.
        out: path of the .csv.

    Raises:
        UserError: runs of several sizes or given twice, or seeds have different examples.
    """
    out = Path(out)
    found = read_run_folders(runs, settings.task_specs)
    predictions = {
        (task, row.name, row.role): development_predictions(runs_of(found, task, row.name))
        for task in settings.tasks
        for row in settings.experiments
    }
    bins, summary = build_bins(predictions), build_summary(predictions)
    width, columns = _layout(len(settings.tasks))
    below = remarks.wrapped(
        [*_remarks(summary, settings), *_flags(found, settings), settings.note], width
    )
    figure = _draw(bins, summary, settings, columns, remarks.height(below))
    save_figure(figure, bins, out, below)
    write_csv(summary, out.with_name(f"{out.stem}_summary.csv"))


def build_bins(
    predictions: Mapping[tuple[str, str, str], Sequence[SplitPredictions]],
) -> pd.DataFrame:
    """One row per task, experiment and bin that has examples, of all seeds together.

    Confidence (mean probability of the predicted class) and accuracy go from 0 to 1.

    Args:
        predictions: of each seed, by task, experiment and role.
    """
    parts = [pd.DataFrame(columns=BIN_COLUMNS)]
    for key, seeds in predictions.items():
        if not seeds:
            continue
        found = reliability(
            np.concatenate([frame.probabilities for frame in seeds]),
            np.concatenate([frame.labels for frame in seeds]),
        )
        table = pd.DataFrame({name: getattr(found, name) for name in BIN_COLUMNS[4:]})
        keys = dict(zip(KEYS, key, strict=True)) | {"seeds": len(seeds)}
        parts.append(table[table["count"] > 0].assign(**keys)[BIN_COLUMNS])
    return pd.concat(parts[1:] or parts, ignore_index=True).round(6)


def build_summary(
    predictions: Mapping[tuple[str, str, str], Sequence[SplitPredictions]],
) -> pd.DataFrame:
    """One row per task and experiment: means over the seeds of what each seed's `n` examples give.

    `ece` (15 bins), `confidence`, `accuracy` go from 0 to 1, `brier` from 0 to 2, `over_confidence`
    is mean confidence minus accuracy. `_std`: sample standard deviation, empty for fewer than three
    seeds. An experiment without runs has `seeds` 0 and nothing else.
    """
    rows: list[dict[str, object]] = []
    for key, seeds in predictions.items():
        found = [calibration(frame.probabilities, frame.labels) for frame in seeds]
        keys = zip((*KEYS, "seeds"), (*key, len(found)), strict=True)
        rows.append({**dict(keys), **(_statistics(found) if found else {})})
    frame = pd.DataFrame(rows, columns=SUMMARY_COLUMNS)
    return frame.astype({"n": "Int64"}).round(6)


def _statistics(found: Sequence[Calibration]) -> dict[str, float]:
    values = {name: [float(getattr(seed, name)) for seed in found] for name in MEASURES}
    means = {name: fmean(numbers) for name, numbers in values.items()}
    if len(found) >= SEEDS_FOR_BANDS:
        means |= {f"{name}_std": stdev(numbers) for name, numbers in values.items()}
    return means | {"n": found[0].n}


def _layout(tasks: int) -> tuple[float, int]:
    """Width in inches and columns of a grid for this number of panels."""
    if tasks == 1:
        return COLUMN_WIDTH, 1
    columns = tasks if tasks <= MOST_COLUMNS else -(-tasks // 2)
    return PAGE_WIDTH, min(columns, MOST_COLUMNS)


def _draw(
    bins: pd.DataFrame,
    summary: pd.DataFrame,
    settings: CalibrationSettings,
    columns: int,
    foot: float,
) -> Figure:
    tasks = settings.tasks
    rows = -(-len(tasks) // columns)
    width, height = _layout(len(tasks))[0], rows * ROW_HEIGHT + HEAD + foot
    figure, grid = new_figure(width, height, nrows=rows, ncols=columns, squeeze=False)
    low = 0.5 if bins.empty else min(0.5, float(bins["low"].min()))
    for axes, task in zip(grid.flat, tasks, strict=False):
        _panel(axes, bins[bins["task"] == task], summary[summary["task"] == task], low)
        axes.set_title(settings.task_specs[task].title, pad=14)
    for axes in grid.flat[len(tasks) :]:
        axes.set_axis_off()
    for axes in grid[:, 0]:
        axes.set_ylabel("Accuracy (%)")
    roles = [role for role in lines.ROLES if role in set(bins["role"])]
    lines.role_legend(figure, roles, teacher_points=True, teacher_style="-")
    return figure


def _panel(axes: Axes, bins: pd.DataFrame, summary: pd.DataFrame, low: float) -> None:
    """Accuracy against confidence; markers grow with the bin's share of the examples."""
    if bins.empty:
        lines.empty(axes)
        return
    axes.plot([0, 100], [0, 100], color="#999999", linestyle=":", linewidth=1.0)
    for role, rows in bins.groupby("role"):
        color, marker = COLORS[str(role)], MARKERS[str(role)]
        x, y = 100 * rows["confidence"], 100 * rows["accuracy"]
        sizes = np.maximum(SMALLEST_MARKER, LARGEST_MARKER * rows["count"] / rows["count"].sum())
        axes.plot(x, y, color=color, linewidth=0.9, zorder=3)
        axes.scatter(x, y, s=sizes, color=color, marker=marker, alpha=0.8, linewidth=0, zorder=4)
    _errors(axes, summary)
    axes.set_xlim(100 * low - 2, 102)
    axes.set_ylim(-4, 104)
    axes.set_xlabel("Confidence (%)")


def _errors(axes: Axes, summary: pd.DataFrame) -> None:
    """The calibration error of each experiment in its colour above the axes."""
    texts = [("ECE (%)", "#555555")]
    texts += [
        (f"{100 * row['ece']:.1f}", COLORS[row["role"]])
        for row in summary.to_dict("records")
        if row["seeds"]
    ]
    for (text, color), place in zip(texts, ERROR_PLACES, strict=False):
        axes.annotate(
            text, (place, 1), (0, 3), "axes fraction", "offset points", fontsize=7, color=color
        )


def _flags(runs: Iterable[RunFolder], settings: CalibrationSettings) -> list[str]:
    names = {row.name for row in settings.experiments}
    shown = (run for run in runs if run.experiment in names and run.task in settings.tasks)
    return flag_sentences(shown)


def _remarks(summary: pd.DataFrame, settings: CalibrationSettings) -> list[str]:
    names = (
        f"{lines.ROLE_TITLES[row.role]}: {capitalized(row.name)} ({row.label})"
        for row in settings.experiments
    )
    missing = [
        f"{capitalized(row['experiment'])} on {settings.task_specs[row['task']].title}"
        for row in summary[summary["seeds"] == 0].to_dict("records")
    ]
    return [
        f"Study: {settings.study}. {'; '.join(names)}.",
        f"Development set, {BINS} bins of confidence of equal width, examples of all seeds "
        "together; markers grow with a bin's share of the examples. Below the dotted line a model "
        "is over-confident. ECE: expected calibration error, mean over seeds.",
        remarks.hint_sentence(summary.loc[summary["role"] != "teacher", "seeds"]),
        remarks.heads_sentence(settings.experiments),
        f"No runs of: {', '.join(missing)}." if missing else "",
    ]
