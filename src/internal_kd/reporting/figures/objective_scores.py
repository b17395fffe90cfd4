"""Objectives by start on each task: a heat map of differences from no losses between layers."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from internal_kd.reporting.figures import remarks
from internal_kd.reporting.figures.style import PAGE_WIDTH, new_figure, save_figure
from internal_kd.reporting.grid_layout import labels_of
from internal_kd.reporting.grids import (
    BETTER,
    MEAN,
    WORSE,
    GridRow,
    GridScores,
    against_none,
    grouped,
    table_of,
)
from internal_kd.reporting.records import from_frame
from internal_kd.reporting.runs import RunFolder, read_run_folders
from internal_kd.reporting.wording import points
from internal_kd.specs.grid_reports import GridSettings

OVER_STARTS, BY_START = ("setting", "objective"), ("setting", "objective", "start")
DIVERGING = "RdBu"  # blue is better
LEAST_SCALE = 1.0  # points of the darkest colours
MOST_CELLS = 18  # beside each other
ROW_HEIGHT, HEAD, FOOT = 0.27, 0.4, 0.65  # inches
LABEL_WIDTH = 12  # characters
TYPE = 5.2  # points, of the numbers
TEXT = (
    "Above: score; below, and as colour: difference from the distillation without losses between "
    "layers that has the same start. Bold: clear after Holm's adjustment, over all single starts "
    "or over all means over starts."
)
NO_REFERENCE = "No objective without losses between layers, so that there are no differences."


@dataclass(frozen=True)
class Panel:
    """What one map shows.

    Attributes:
        title: above it.
        cells: rows of the tidy table by objective and start.
        with_scores: whether it has scores, not differences alone.
    """

    title: str
    cells: dict[tuple[str, str], GridRow]
    with_scores: bool

    def shown(self, objective: str, start: str) -> GridRow | None:
        """The cell, if it has what the map shows."""
        row = self.cells.get((objective, start))
        known = row is not None and not np.isnan(row.score if self.with_scores else row.effect)
        return row if known else None


def write_objective_scores(
    folders: Iterable[str | Path], settings: GridSettings, out: str | Path
) -> None:
    """Write the figure as `out` (.csv, see `build`), .pdf and .png.

    Args:
        folders: of the runs of all objectives.
        settings: of the figure.
        out: path of the .csv.

    Raises:
        UserError: a folder is none of a run, or runs are of different examples.
    """
    frame = build(read_run_folders(folders, settings.task_specs), settings)
    compared = bool(frame["effect"].notna().any())
    below = remarks.wrapped(
        [
            TEXT if compared else NO_REFERENCE,
            remarks.hint_sentence(frame.loc[frame["seeds"] > 0, "seeds"]),
            settings.note,
        ],
        PAGE_WIDTH,
    )
    save_figure(_draw(frame, settings, remarks.height(below)), frame, out, below)


def build(runs: Sequence[RunFolder], settings: GridSettings) -> pd.DataFrame:
    """The tidy table, see `GridRow`: one row per cell of the maps.

    Those without a start are means over all of them.
    """
    grid = GridScores(runs, settings)
    several = len(settings.starts) > 1
    tables = [
        table_of(grid, grouped(settings, factors), against_none)
        for factors in ((BY_START, OVER_STARTS) if several else (OVER_STARTS,))
    ]
    return pd.concat(tables, ignore_index=True)


def _draw(frame: pd.DataFrame, settings: GridSettings, below: float) -> Figure:
    panels = [*_panels(frame, settings)]
    starts = [start for start in labels_of(settings)["start"] if start in set(frame["start"])]
    starts.append("")
    columns = min(max(1, MOST_CELLS // len(starts)), len(panels))
    rows = -(-len(panels) // columns)
    height = rows * (len(settings.objectives) * ROW_HEIGHT + HEAD) + FOOT + below
    figure, grid = new_figure(PAGE_WIDTH, height, nrows=rows, ncols=columns, squeeze=False)
    scale = max(LEAST_SCALE, 100 * float(np.nan_to_num(frame["effect"].abs()).max(initial=0)))
    for axes, panel in zip(grid.flat, panels, strict=False):
        _draw_panel(axes, panel, settings, starts, scale)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for axes in grid[:, 1:].flat:
        axes.set_yticklabels([])
    if frame["effect"].notna().any():
        _color_bar(figure, grid.ravel().tolist(), scale)
    return figure


def _panels(frame: pd.DataFrame, settings: GridSettings) -> Iterator[Panel]:
    """A map for each setting and task, and for the mean over tasks, where there is one."""
    rows = from_frame(frame, GridRow)
    labels = labels_of(settings)["setting"]
    for setting in dict.fromkeys(row.setting for row in rows):
        for task in (*settings.tasks, MEAN):
            cells = {
                (row.objective, row.start): row
                for row in rows
                if (row.setting, row.task) == (setting, task)
            }
            name = "Mean over tasks" if task == MEAN else settings.task_specs[task].title
            if cells:
                title = f"{name}\n{labels[setting]}" if len(labels) > 1 else name
                yield Panel(title, cells, task != MEAN)


def _draw_panel(
    axes: Axes, panel: Panel, settings: GridSettings, starts: Sequence[str], scale: float
) -> None:
    objectives = labels_of(settings)["objective"]
    names = labels_of(settings)["start"] | {"": "mean" if len(starts) > 1 else "score"}
    found = [[panel.shown(objective, start) for start in starts] for objective in objectives]
    effects = [[100 * row.effect if row else np.nan for row in line] for line in found]
    seaborn.heatmap(
        np.nan_to_num(effects),
        mask=np.array([[row is None for row in line] for line in found]),
        annot=np.array([[_text(row, panel.with_scores) for row in line] for line in found]),
        fmt="",
        annot_kws={"size": TYPE, "linespacing": 1.15},
        cmap=DIVERGING,
        vmin=-scale,
        vmax=scale,
        cbar=False,
        linewidths=0.6,
        xticklabels=[textwrap.fill(names[start], LABEL_WIDTH) for start in starts],
        yticklabels=[*objectives.values()],
        ax=axes,
    )
    drawn = [row for line in found for row in line if row]
    for text, row in zip(axes.texts, drawn, strict=True):
        text.set_fontweight("bold" if row.verdict in (BETTER, WORSE) else "normal")
    if len(starts) > 1:
        axes.axvline(len(starts) - 1, color="white", linewidth=3)
    axes.set_title(panel.title)
    axes.tick_params(length=0)
    axes.grid(False)
    axes.set_xticklabels(axes.get_xticklabels(), rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticklabels(axes.get_yticklabels(), rotation=0)


def _text(row: GridRow | None, with_score: bool) -> str:
    if row is None:
        return ""
    score = [f"{100 * row.score:.1f}"] if with_score else []
    return "\n".join([*score, *([] if np.isnan(row.effect) else [points(row.effect)])])


def _color_bar(figure: Figure, axes: Sequence[Axes], scale: float) -> None:
    colors = ScalarMappable(Normalize(-scale, scale), DIVERGING)
    bar = figure.colorbar(colors, ax=axes, shrink=0.8, aspect=25, pad=0.015)
    bar.set_label("difference (points)")
    bar.outline.set_visible(False)  # type: ignore[operator]
