"""The results as a picture."""

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from benchmarks.contestants.field import TITLES
from benchmarks.shapes import SHAPES
from internal_kd.reporting.figures.style import PAGE_WIDTH, new_figure, save_figure
from internal_kd.study.glue import GLUE

BAR = 0.15
ROW_HEIGHT = 2.5
PALETTE = ("#D55E00", "#E69F00", "#F0C9A8", "#56B4E9", "#0072B2", "#009E73")
COLORS = dict(zip(TITLES, PALETTE, strict=True))
LIMIT = "the matrix products that are needed, at the best measured rate"


def draw(summary: pd.DataFrame, out: Path) -> None:
    """CPU-ms per example of every contestant by task, one row of axes per shape.

    Args:
        summary: see `benchmarks.summary.summarize`.
        out: path of the .csv; .pdf and .png are written beside it.
    """
    measured = summary.dropna(subset=["total_ms"])
    shapes = list(dict.fromkeys(measured["shape"]))
    figure, axes = new_figure(
        PAGE_WIDTH, ROW_HEIGHT * len(shapes), nrows=len(shapes), squeeze=False
    )
    for place, shape in zip(axes[:, 0], shapes, strict=True):
        _draw_shape(place, measured[measured["shape"] == shape])
        place.set_title(SHAPES[shape].title, loc="left")
    names = _present(measured)
    handles = [Line2D([], [], color=COLORS[n], linewidth=5, label=TITLES[n]) for n in names]
    limit = Line2D([], [], color="black", linewidth=1.2, label=LIMIT)
    figure.legend(handles=[*handles, limit], loc="outside upper center", ncols=2)
    save_figure(figure, summary, out)


def _present(summary: pd.DataFrame) -> list[str]:
    return [name for name in TITLES if name in set(summary["contestant"])]


def _draw_shape(axes: Axes, summary: pd.DataFrame) -> None:
    names, tasks = _present(summary), list(dict.fromkeys(summary["task"]))
    for number, name in enumerate(names):
        rows = summary[summary["contestant"] == name].set_index("task").loc[tasks]
        shift = (number - (len(names) - 1) / 2) * BAR
        _draw_bars(axes, rows, [k + shift for k in range(len(tasks))], COLORS[name])
    axes.set_xticks(range(len(tasks)), [GLUE[task].title for task in tasks])
    axes.margins(y=0.1)
    axes.set_ylabel("CPU-ms per example")
    axes.grid(axis="x", visible=False)


def _draw_bars(axes: Axes, rows: pd.DataFrame, places: list[float], color: str) -> None:
    """Medians as bars with their extremes over rounds, numbers above, and the limit as a mark."""
    axes.bar(places, rows["total_ms"], 0.9 * BAR, color=color, zorder=2)
    axes.vlines(places, rows["low_ms"], rows["high_ms"], color="#444444", linewidth=0.8, zorder=3)
    left, right = ([x + side * BAR / 2 for x in places] for side in (-1, 1))
    axes.hlines(
        rows["step_ms"] * rows["share"], left, right, color="black", linewidth=1.2, zorder=4
    )
    for place, total, high in zip(places, rows["total_ms"], rows["high_ms"], strict=True):
        label = {"textcoords": "offset points", "ha": "center", "fontsize": 5.5}
        axes.annotate(f"{total:.1f}", (place, high), (0, 1), **label)
