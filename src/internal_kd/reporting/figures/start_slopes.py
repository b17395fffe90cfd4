"""Score by start of the student's layers: a line for each objective, a panel for each task."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from internal_kd.reporting.figures import remarks
from internal_kd.reporting.figures.lines import DIGITS, STATISTICS, band
from internal_kd.reporting.figures.style import (
    CYCLE,
    CYCLE_MARKERS,
    METRIC_TITLES,
    PAGE_WIDTH,
    TEACHER,
    new_figure,
    save_figure,
)
from internal_kd.reporting.grid_layout import labels_of
from internal_kd.reporting.grids import GridScores, grouped, on
from internal_kd.reporting.records import from_frame, to_frame
from internal_kd.reporting.runs import RunFolder, read_run_folders
from internal_kd.specs.grid_reports import GridSettings

FACTORS = ("setting", "objective", "start")
MOST_COLUMNS, LEGEND_COLUMNS = 3, 4
MOST_STARTS = 12  # beside each other
MOST_STRAIGHT = 4  # of starts in a panel; the names of more are slanted
ROW_HEIGHT, LEGEND_LINE = 2.3, 0.17  # inches
LABEL_WIDTH = 12  # characters
SPREAD = 0.4  # of the room of a start that its objectives take
TEXT = (
    "Lines: means over seeds; dots: single seeds. Objectives stand beside each other at a start. "
    "Intervals of the differences are in the table of starts."
)


class Style(NamedTuple):
    """How a line is drawn."""

    color: str
    marker: str
    dashes: str


NONE = Style(TEACHER, "D", "--")


@dataclass(frozen=True)
class SlopeRow:
    """Development scores (0 to 1) of an objective from a start, the mean over maps of layers.

    Attributes:
        setting, objective, start: levels.
        task: name of the task.
        metric: that selects on the task.
        experiments: that the score of each seed is a mean of.
        n: seeds.
        mean: over seeds.
        std: sample standard deviation over seeds; NaN for one or two.
        low, high: ends of the 95 % t-interval of the mean over seeds; the same.
        scores: of the seeds, ascending by seed.
    """

    setting: str
    objective: str
    start: str
    task: str
    metric: str
    experiments: int
    n: int
    mean: float
    std: float
    low: float
    high: float
    scores: str

    @property
    def by_seed(self) -> list[float]:
        """The scores of the seeds as numbers."""
        return [float(score) for score in self.scores.split()]


def write_start_slopes(
    folders: Iterable[str | Path], settings: GridSettings, out: str | Path
) -> None:
    """Write the figure as `out` (.csv, see `SlopeRow`), .pdf and .png.

    Args:
        folders: of the runs of all objectives and starts.
        settings: of the figure.
        out: path of the .csv.

    Raises:
        UserError: a folder is none of a run.
    """
    frame = build(read_run_folders(folders, settings.task_specs), settings)
    below = remarks.wrapped([TEXT, remarks.hint_sentence(frame["n"]), settings.note], PAGE_WIDTH)
    save_figure(_draw(frame, settings, remarks.height(below)), frame, out, below)


def build(runs: Sequence[RunFolder], settings: GridSettings) -> pd.DataFrame:
    """The tidy table: one row per setting, objective, start and task."""
    return to_frame(_rows(GridScores(runs, settings)), SlopeRow)


def _rows(grid: GridScores) -> Iterator[SlopeRow]:
    for (setting, objective, start, _), cells in grouped(grid.settings, FACTORS).items():
        for task in grid.settings.tasks:
            found = on(task, cells)
            scores = grid.by_seed(task, found).tolist() if found else []
            if scores:
                summary = band(scores)
                yield SlopeRow(
                    setting,
                    objective,
                    start,
                    task,
                    metric=grid.settings.task_specs[task].selection_metric,
                    experiments=len({cell.experiment for cell in found}),
                    n=summary.n,
                    **{name: round(getattr(summary, name), DIGITS) for name in STATISTICS},
                    scores=" ".join(str(round(score, DIGITS)) for score in scores),
                )


def _draw(frame: pd.DataFrame, settings: GridSettings, below: float) -> Figure:
    rows = from_frame(frame, SlopeRow)
    panels = dict.fromkeys((row.setting, row.task) for row in rows)
    columns = min(MOST_COLUMNS, max(1, MOST_STARTS // len(settings.starts)), len(panels))
    lines = -(-len(panels) // columns)
    head = LEGEND_LINE * -(-len(settings.objectives) // LEGEND_COLUMNS)
    height = lines * ROW_HEIGHT + head + below
    figure, grid = new_figure(PAGE_WIDTH, height, nrows=lines, ncols=columns, squeeze=False)
    for axes, (setting, task) in zip(grid.flat, panels, strict=False):
        shown = [row for row in rows if (row.setting, row.task) == (setting, task)]
        _draw_panel(axes, shown, settings)
        axes.set_title(_title(setting, task, settings))
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    handles, _ = grid.flat[0].get_legend_handles_labels()
    figure.legend(
        handles=handles, loc="outside upper center", ncols=LEGEND_COLUMNS, handlelength=2.6
    )
    return figure


def _title(setting: str, task: str, settings: GridSettings) -> str:
    labels, name = labels_of(settings)["setting"], settings.task_specs[task].title
    return f"{name}, {labels[setting]}" if len(labels) > 1 else name


def _draw_panel(axes: Axes, rows: Sequence[SlopeRow], settings: GridSettings) -> None:
    labels, starts = labels_of(settings), [level.name for level in settings.starts]
    offsets = np.linspace(-SPREAD / 2, SPREAD / 2, max(2, len(settings.objectives)))
    for (objective, style), offset in zip(styles_of(settings).items(), offsets, strict=False):
        own = {row.start: row for row in rows if row.objective == objective}
        known = [start for start in starts if start in own]
        places = [starts.index(start) + offset for start in known]
        scores = [100 * own[start].mean for start in known]
        axes.plot(
            places,
            scores,
            color=style.color,
            marker=style.marker,
            linestyle=style.dashes,
            label=labels["objective"][objective],
            zorder=3,
        )
        for place, start in zip(places, known, strict=True):
            seeds = [100 * score for score in own[start].by_seed]
            axes.plot([place] * len(seeds), seeds, ".", color=style.color, alpha=0.4, ms=3)
    names = [textwrap.fill(labels["start"][start], LABEL_WIDTH) for start in starts]
    axes.set_xticks(range(len(starts)), names)
    if len(names) > MOST_STRAIGHT:
        axes.tick_params("x", labelrotation=30)
        plt.setp(axes.get_xticklabels(), ha="right", rotation_mode="anchor")
    axes.set_xlim(-0.5, len(starts) - 0.5)
    axes.xaxis.grid(False)
    axes.set_ylabel(METRIC_TITLES[rows[0].metric])


def styles_of(settings: GridSettings) -> dict[str, Style]:
    """How the line of each objective is drawn; without losses between layers it is grey."""
    none = {cell.objective for cell in settings.cells if cell.losses == "none"}
    names = [level.name for level in settings.objectives]
    looks = cycle(zip(CYCLE, CYCLE_MARKERS, strict=True))
    found = {
        name: Style(*look, "-" if number < len(CYCLE) else ":")
        for number, (name, look) in enumerate(
            zip((name for name in names if name not in none), looks, strict=False)
        )
    }
    return {name: found.get(name, NONE) for name in names}
