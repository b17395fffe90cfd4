"""What figures of scores share: points with bands or single seeds, and the teacher's line."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from internal_kd.reporting.figures.bands import SEEDS_FOR_BANDS, Band, band, draw_band
from internal_kd.reporting.figures.style import BAND_ALPHA, COLORS, MARKERS, TEACHER
from internal_kd.reporting.records import columns_of
from internal_kd.reporting.runs import RunFolder
from internal_kd.reporting.selection import development_score

ROLES = ("teacher", "standard", "internal")
STUDENTS = ("standard", "internal")
ROLE_TITLES = {"teacher": "Teacher", "standard": "Standard KD", "internal": "Internal KD"}
MARKED_FLAGS = ("one_class", "at_majority")
STATISTICS = ["mean", "std", "low", "high"]
DIGITS = 6  # of scores in files


@dataclass(frozen=True)
class Point:
    """Development scores (0 to 1) of runs that differ in their seed, as files have them.

    Mean, and from three runs on sample standard deviation and ends of the band, else NaN; `scores`
    has those of the `n` single runs, ascending by seed, and `flags` those that any of the runs has.
    """

    mean: float
    std: float
    low: float
    high: float
    n: int
    scores: str
    flags: str


POINT_COLUMNS = columns_of(Point)


def point(runs: Sequence[RunFolder]) -> Point:
    """Development scores of runs that differ in their seed.

    Raises:
        ValueError: no runs.
    """
    found = [development_score(run) for run in runs]
    flags = {flag for run in runs for flag in run.metrics.flags} & set(MARKED_FLAGS)
    summary = band(found)
    values = {name: round(getattr(summary, name), DIGITS) for name in STATISTICS}
    scores = " ".join(str(round(score, DIGITS)) for score in found)
    return Point(**values, n=summary.n, scores=scores, flags=" ".join(sorted(flags)))


def draw_points(axes: Axes, places: "pd.Series[float]", points: pd.DataFrame, role: str) -> None:
    """A line in percent through the means of `points` (`POINT_COLUMNS`), ascending by place.

    From three seeds on the means have markers and a band, otherwise the single seeds have markers.
    Those of a point with flags are hollow.
    """
    color = COLORS[role]
    axes.plot(places, 100 * points["mean"], color=color, zorder=3)
    low, high = ((100 * points[end]).tolist() for end in ("low", "high"))
    draw_band(axes, places.tolist(), low, high, color)
    for hollow in (False, True):
        kept = (points["flags"] != "").to_numpy() == hollow
        single = [
            (place, 100 * score)
            for place, scores in zip(places[kept], marked(points[kept]), strict=True)
            for score in scores
        ]
        axes.plot(
            *np.reshape(single, (-1, 2)).T,
            linestyle="",
            marker=MARKERS[role],
            color=color,
            markerfacecolor="white" if hollow else color,
            zorder=4,
        )


def marked(points: pd.DataFrame) -> list[list[float]]:
    """The scores (0 to 1) that have a marker at each point: the mean, or those of single seeds."""
    return [
        [mean] if n >= SEEDS_FOR_BANDS else [float(score) for score in scores.split()]
        for mean, n, scores in zip(points["mean"], points["n"], points["scores"], strict=True)
    ]


def band_of(point: "pd.Series[float]") -> Band:
    """The summary in a row that has `POINT_COLUMNS`."""
    return Band(**{name: point[name] for name in STATISTICS}, n=int(point["n"]))


def draw_teacher(axes: Axes, score: Band) -> None:
    """The teacher's mean score as a dashed line in percent, with its band from three runs on."""
    axes.axhline(100 * score.mean, color=TEACHER, linestyle="--", linewidth=1.0, zorder=2)
    if score.n >= SEEDS_FOR_BANDS:
        ends = 100 * score.low, 100 * score.high
        axes.axhspan(*ends, color=TEACHER, alpha=BAND_ALPHA, linewidth=0, zorder=1)


def pad_scores(axes: Axes, points: pd.DataFrame) -> None:
    """Make room for labels above and below; equal scores get a span of two percent points."""
    drawn = [*chain(*marked(points)), *points["low"].dropna(), *points["high"].dropna()]
    low, high = 100 * min(drawn), 100 * max(drawn)
    margin = max(0.2 * (high - low), 1.0)
    axes.set_ylim(low - margin, high + margin)


def role_legend(
    figure: Figure,
    roles: Iterable[str],
    *,
    teacher_points: bool,
    teacher_style: Literal["-", "--"] = "--",
) -> None:
    """Names of the roles drawn, in one row above the axes."""
    handles = [
        Line2D(
            [],
            [],
            color=COLORS[role],
            marker=MARKERS[role] if role != "teacher" or teacher_points else "",
            linestyle=teacher_style if role == "teacher" else "-",
            label=ROLE_TITLES[role],
        )
        for role in roles
    ]
    if handles:
        figure.legend(handles=handles, loc="outside upper center", ncols=3, handlelength=2.6)


def empty(axes: Axes, text: str = "no runs") -> None:
    """Note inside the axes that there is nothing to draw."""
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes)
    axes.set_xticks([])
    axes.set_yticks([])
