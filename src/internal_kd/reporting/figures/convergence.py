"""Figures 4 and 10: development scores after each epoch, and when each layer is finished.

What Figures 4 and 10 draw: development scores after each epoch, and finished layers.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from internal_kd.errors import UserError
from internal_kd.reporting.figures import lines, remarks
from internal_kd.reporting.figures.attention_kl import (
    OUTPUT,
    OUTPUT_STYLE,
    REASON_MARKERS,
    draw_strips,
    turns_of,
)
from internal_kd.reporting.figures.lines import SEEDS_FOR_BANDS, band, draw_band
from internal_kd.reporting.figures.style import (
    COLUMN_WIDTH,
    CYCLE,
    METRIC_TITLES,
    TEACHER,
    new_figure,
    save_figure,
)
from internal_kd.reporting.runs import RunFolder, read_run_folders
from internal_kd.reporting.selection import development_score, runs_of
from internal_kd.reporting.wording import capitalized, flag_sentences
from internal_kd.specs.figures import ConvergenceSettings

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
    metric = settings.task_specs[task].selection_metric
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


REASON_TITLES = {"threshold": "finished by cosine loss", "limit": "finished by epoch limit"}
COLORS = (*CYCLE[2:], *CYCLE[:2])  # the first two stand for standard and internal KD elsewhere
HEIGHT, STRIP = 2.6, 0.15  # inches: without strips and remarks, and of each strip


def write_convergence(
    runs: Iterable[str | Path], settings: ConvergenceSettings, out: str | Path
) -> None:
    """Write the figure as `out` (.csv, see `convergence_data.build`), .pdf and .png.

    Args:
        runs: folders of the teacher's runs and those of the experiments.
        settings: of the figure; its experiments have one line each.
        out: path of the .csv.

    Raises:
        UserError: runs of several sizes or given twice, or a history is broken.
    """
    names = [row.name for row in (settings.teacher, *settings.experiments)]
    found = [run for run in read_run_folders(runs, settings.task_specs) if run.experiment in names]
    shown = [run for run in found if run.task == settings.task]
    frame = build(shown, settings)
    below = remarks.wrapped(
        [*_remarks(frame, settings), *flag_sentences(shown), settings.note], COLUMN_WIDTH
    )
    figure = _draw(frame, settings, remarks.height(below))
    save_figure(figure, frame, out, below)


def _draw(frame: pd.DataFrame, settings: ConvergenceSettings, foot: float) -> Figure:
    shown = drawn(frame, settings)
    strips = STRIP * max(len(shown), 1)
    figure, (top, axes) = new_figure(
        COLUMN_WIDTH,
        HEIGHT + strips + foot,
        nrows=2,
        sharex=True,
        height_ratios=[strips, HEIGHT - 1.0],
    )
    task = settings.task_specs[settings.task]
    top.set_title(f"{task.title}, development set", loc="left")
    axes.set_ylabel(METRIC_TITLES[task.selection_metric])
    if not shown:
        top.set_axis_off()
        lines.empty(axes)
        return figure
    epochs = int(frame["epoch"].max())
    turns = {capitalized(name): turns_of(first_seed(rows)) for name, rows in shown.items()}
    colors = [COLORS[place % len(COLORS)] for place in range(len(shown))]
    draw_strips(top, turns, colors, epochs)
    for rows, color in zip(shown.values(), colors, strict=True):
        _line(axes, rows, color)
    if teachers := teacher_scores(frame):
        lines.draw_teacher(axes, band(teachers))
    axes.set_xlim(0.5, epochs + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_xlabel("Epoch")
    _legend(figure, frame)
    return figure


def _line(axes: Axes, rows: pd.DataFrame, color: str) -> None:
    """Mean with band or single seeds, marked where the first seed finished a layer."""
    epochs: list[int] = rows["epoch"].drop_duplicates().sort_values().tolist()
    bands = {epoch: band(rows.loc[rows["epoch"] == epoch, "value"].tolist()) for epoch in epochs}
    means = {epoch: 100 * found.mean for epoch, found in bands.items()}
    marker = "." if len(epochs) == 1 else ""  # a line of one point would not be seen
    axes.plot(epochs, list(means.values()), marker=marker, color=color, zorder=3)
    low, high = ([100 * getattr(found, end) for found in bands.values()] for end in ("low", "high"))
    draw_band(axes, epochs, low, high, color)
    if 1 < rows["seed"].nunique() < SEEDS_FOR_BANDS:
        for _, seed in rows.groupby("seed"):
            axes.plot(
                seed["epoch"],
                100 * seed["value"],
                marker=marker,
                color=color,
                linewidth=0.6,
                alpha=0.6,
                zorder=2,
            )
    for reason, events in first_seed(rows).groupby("reason"):
        axes.plot(
            events["epoch"],
            [means[epoch] for epoch in events["epoch"]],
            linestyle="",
            marker=REASON_MARKERS[str(reason)],
            color=color,
            zorder=4,
        )


def _legend(figure: Figure, frame: pd.DataFrame) -> None:
    """What marks, hatching and the dashed line mean, as far as they occur."""
    known = set(frame["reason"].dropna())
    handles: list[Line2D | Patch] = []
    if frame["epoch"].isna().any():
        handles.append(Line2D([], [], color=TEACHER, linestyle="--", label="Teacher"))
    handles += [
        Line2D([], [], linestyle="", color=TEACHER, marker=REASON_MARKERS[reason], label=title)
        for reason, title in REASON_TITLES.items()
        if reason in known
    ]
    if (frame["stage"] == OUTPUT).any():
        handles.append(Patch(**OUTPUT_STYLE, label="only the output loss"))
    if handles:
        figure.legend(handles=handles, loc="outside upper center", ncols=2)


def _remarks(frame: pd.DataFrame, settings: ConvergenceSettings) -> list[str]:
    shown = drawn(frame, settings)
    rows = settings.experiments
    names = [f"{capitalized(row.name)}: {row.label}" for row in rows]
    counts = [n for found in shown.values() for n in found.groupby("epoch")["value"].count()]
    missing = [capitalized(row.name) for row in rows if row.name not in shown]
    if frame["epoch"].notna().all():
        missing.append(f"the teacher ({capitalized(settings.teacher.name)})")
    return [
        f"Study: {settings.study}. {'; '.join(names)}.",
        "Marks: a layer is finished. Strips: which layer had its turn (L1: the lowest)."
        if frame["finished_layer"].notna().any()
        else "No layers are finished one after the other in these experiments.",
        remarks.seeds_sentence(counts, single="Thin lines: single seeds."),
        remarks.teachers_sentence(len(teacher_scores(frame)), counts),
        remarks.heads_sentence(row for row in rows if row.name in shown),
        differing(shown),
        f"No runs of: {', '.join(missing)}." if missing else "",
    ]
