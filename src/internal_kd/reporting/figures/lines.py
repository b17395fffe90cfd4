"""What figures of scores share: points, bands over seeds, and the teacher's line."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.special import stdtrit

from internal_kd.evaluation.inference import SEEDS_FOR_VERDICTS
from internal_kd.reporting.figures.style import BAND_ALPHA, COLORS, MARKERS, TEACHER
from internal_kd.reporting.records import columns_of
from internal_kd.reporting.runs import RunFolder
from internal_kd.reporting.selection import development_score

SEEDS_FOR_BANDS = SEEDS_FOR_VERDICTS  # fewer are shown one by one
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Band:
    """Mean of n values, one per seed, with its uncertainty from three values on.

    Attributes:
        mean: of the values.
        std: sample standard deviation; NaN for one or two values.
        low: lower end of the 95 % t-interval of the mean; NaN for one or two values.
        high: its upper end.
        n: number of values.
    """

    mean: float
    std: float
    low: float
    high: float
    n: int


def band(values: Sequence[float]) -> Band:
    """Summarise one value per seed.

    Raises:
        ValueError: no values.
    """
    if not len(values):
        raise ValueError("a band needs at least one value")
    n, mean = len(values), float(np.mean(values))
    if n < SEEDS_FOR_BANDS:
        return Band(mean, math.nan, math.nan, math.nan, n)
    std = float(np.std(values, ddof=1))
    half = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2)) * std / math.sqrt(n)
    return Band(mean, std, mean - half, mean + half, n)


def draw_band(
    axes: Axes, places: Sequence[float], low: Sequence[float], high: Sequence[float], color: str
) -> None:
    """A shaded band between two curves; as bars where it would be interrupted or a single point.

    Args:
        places: ascending.
        low: lower ends, in the units of the y axis; NaN where there is no band.
        high: upper ends.
        color: of the line that the band belongs to.
    """
    known = ~np.isnan(np.asarray(low, dtype=float))
    if known.all() and len(known) > 1:
        axes.fill_between(places, low, high, color=color, alpha=BAND_ALPHA, linewidth=0)
    elif known.any():
        ends = (np.asarray(values, dtype=float)[known] for values in (places, low, high))
        axes.vlines(*ends, color=color, alpha=2 * BAND_ALPHA, linewidth=4)


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
