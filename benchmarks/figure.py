"""The results as a picture."""

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from benchmarks.contestants.field import TITLES
from benchmarks.shapes import SHAPES
from internal_kd.reporting.figures.style import CYCLE, PAGE_WIDTH, new_figure, save_figure
from internal_kd.tasks import TASKS

BAR = 0.15
ROW_HEIGHT = 2.5
COLORS = dict(
    zip(TITLES, ("#D55E00", "#E69F00", "#CC79A7", *CYCLE[:1], "#56B4E9", "#009E73"), strict=True)
)


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
    present = [name for name in TITLES if name in set(measured["contestant"])]
    handles = [Line2D([], [], color=COLORS[n], linewidth=5, label=TITLES[n]) for n in present]
    limit = Line2D(
        [], [], color="black", linewidth=1.2, label="what its matrix products take at the peak rate"
    )
    figure.legend(handles=[*handles, limit], loc="outside upper center", ncols=2)
    save_figure(figure, summary, out)


def _draw_shape(axes: Axes, summary: pd.DataFrame) -> None:
    names = [name for name in TITLES if name in set(summary["contestant"])]
    tasks = list(dict.fromkeys(summary["task"]))
    for number, name in enumerate(names):
        rows = summary[summary["contestant"] == name].set_index("task").loc[tasks]
        places = [k + (number - (len(names) - 1) / 2) * BAR for k in range(len(tasks))]
        axes.bar(places, rows["total_ms"], 0.9 * BAR, color=COLORS[name], zorder=2)
        ends = rows["low_ms"], rows["high_ms"]
        axes.vlines(places, *ends, color="#444444", linewidth=0.8, zorder=3)
        limits = rows["step_ms"] * rows["share"]
        axes.hlines(
            limits,
            [x - BAR / 2 for x in places],
            [x + BAR / 2 for x in places],
            color="black",
            linewidth=1.2,
            zorder=4,
        )
        for place, (_, row) in zip(places, rows.iterrows(), strict=True):
            axes.annotate(
                f"{row['total_ms']:.1f}",
                (place, row["high_ms"]),
                (0, 1),
                textcoords="offset points",
                ha="center",
                fontsize=5.5,
            )
    axes.set_xticks(range(len(tasks)), [TASKS[task].title for task in tasks])
    axes.set_yscale("log")
    axes.set_ylabel("CPU-ms per example")
    axes.grid(axis="x", visible=False)
