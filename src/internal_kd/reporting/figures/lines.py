"""What figures of scores share: points with bands, the teacher's line, and remarks below."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from internal_kd.reporting.figures.bands import band
from internal_kd.reporting.figures.style import BAND_ALPHA, COLORS, MARKERS, TEACHER
from internal_kd.reporting.runs import RunFolder
from internal_kd.reporting.selection import development_score
from internal_kd.reporting.wording import FLAG_TEXTS, capitalized

ROLES = ("teacher", "standard", "internal")
STUDENTS = ("standard", "internal")
ROLE_TITLES = {"teacher": "Teacher", "standard": "Standard KD", "internal": "Internal KD"}
MARKED_FLAGS = ("one_class", "at_majority")
POINT_COLUMNS = ["mean", "low", "high", "band", "n", "flags"]
BAND_TEXTS = {
    "95% interval": "Bands: 95% interval of the mean over {n} seeds.",
    "range": "Bands: range of two seeds.",
    "none": "One seed: no band.",
}

CHARACTERS_PER_INCH = 22  # of a remark
REMARK_LINE = 0.095  # inches


def point(runs: Sequence[RunFolder]) -> dict[str, Any]:
    """Mean development score (0 to 1) of runs that differ in their seed, with band and flags.

    Raises:
        ValueError: no runs.
    """
    found = band([development_score(run) for run in runs])
    flags = {flag for run in runs for flag in run.metrics["flags"]} & set(MARKED_FLAGS)
    texts = {"band": found.kind, "n": found.n, "flags": " ".join(sorted(flags))}
    return {"mean": found.mean, "low": found.low, "high": found.high} | texts


def draw_points(axes: Axes, places: "pd.Series[Any]", points: pd.DataFrame, role: str) -> None:
    """A line in percent with its band through `points` (`POINT_COLUMNS`), ascending by place.

    The marker of a point with flags is hollow.
    """
    color, marker = COLORS[role], MARKERS[role]
    axes.plot(places, 100 * points["mean"], color=color, zorder=3)
    low, high = 100 * points["low"], 100 * points["high"]
    if len(points) == 1:  # a band of no width would not be seen
        axes.vlines(places, low, high, color=color, alpha=2 * BAND_ALPHA, linewidth=4)
    else:
        axes.fill_between(places, low, high, color=color, alpha=BAND_ALPHA, linewidth=0)
    for flagged, face in ((False, color), (True, "white")):
        kept = (points["flags"] != "").to_numpy() == flagged
        axes.plot(
            places[kept],
            100 * points.loc[kept, "mean"],
            linestyle="",
            marker=marker,
            color=color,
            markerfacecolor=face,
            zorder=4,
        )


def draw_teacher(axes: Axes, score: float) -> None:
    """The teacher's score (0 to 1) as a dashed line in percent."""
    axes.axhline(100 * score, color=TEACHER, linestyle="--", linewidth=1.0, zorder=2)


def pad_scores(axes: Axes, points: pd.DataFrame) -> None:
    """Leave room for labels above and below; equal scores get a span of two percent points."""
    low, high = 100 * points["low"].min(), 100 * points["high"].max()
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
    """Say inside the axes that there is nothing to draw."""
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes)
    axes.set_xticks([])
    axes.set_yticks([])


def band_sentence(kinds: Iterable[tuple[str, int]]) -> str:
    """What the bands are, for each kind and number of seeds that occurs; "" for no points."""
    return " ".join(BAND_TEXTS[kind].format(n=n) for kind, n in sorted(set(kinds)))


def flag_sentence(flags: Iterable[str]) -> str:
    """What hollow markers mean; "" if there are none. `flags`: those of each point."""
    found = sorted({flag for names in flags for flag in names.split()}, reverse=True)
    texts = [FLAG_TEXTS[flag] for flag in found]
    return f"Hollow markers: {'; '.join(texts)}." if texts else ""


def teacher_flag_sentence(flags: Iterable[str]) -> str:
    """What must be said of a teacher that is drawn as a line; "" without flags."""
    found = sorted({flag for names in flags for flag in names.split()}, reverse=True)
    texts = [f"{capitalized(FLAG_TEXTS[f'teacher_{flag}'])}." for flag in found]
    return " ".join(texts)


def roles_sentence(settings: Mapping[str, Any], roles: Iterable[str] = ROLES) -> str:
    """Which experiments the roles are."""
    names = (
        f"{ROLE_TITLES[role]}: {capitalized(settings[role]['name'])} ({settings[role]['label']})"
        for role in roles
    )
    return f"{'; '.join(names)}."


def missing_sentence(settings: Mapping[str, Any], drawn: Iterable[str]) -> str:
    """Which roles have no runs; "" if all have some."""
    missing = [ROLE_TITLES[role].lower() for role in ROLES if role not in set(drawn)]
    names = [name.replace("kd", "KD") for name in missing]
    return f"No runs of: {', '.join(names)}." if names else ""


def wrapped(remarks: Iterable[str], width: float) -> list[str]:
    """The remarks that are not empty, broken into lines for a figure of this width in inches."""
    lines = int(width * CHARACTERS_PER_INCH)
    return [textwrap.fill(remark, lines) for remark in remarks if remark]


def remark_height(remarks: Iterable[str]) -> float:
    """Inches that `wrapped` remarks take."""
    return REMARK_LINE * sum(remark.count("\n") + 1 for remark in remarks)
