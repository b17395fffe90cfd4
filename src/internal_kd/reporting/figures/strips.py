"""Strips above a plot over epochs: which layer is learnt when, one strip per experiment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import pandas as pd
from matplotlib.axes import Axes

REASON_MARKERS = {"threshold": "^", "limit": "o"}
OUTPUT = "output"  # stage of a history in which no layer is learnt from the teacher any more


class Style(TypedDict):
    """How an area is filled and framed, in Matplotlib's words."""

    facecolor: str
    edgecolor: str
    hatch: str
    linewidth: float


OUTPUT_STYLE = Style(facecolor="white", edgecolor="#999999", hatch="//////", linewidth=0.5)

BAR_HEIGHT = 0.72  # of the distance between strips
SHADES = (0.22, 0.42)  # opacity of neighbouring layers in turn
TYPE_SIZE = 6  # points
CHARACTER_WIDTH, LABEL_PADDING = 0.022, 0.02  # of the width of the axes


@dataclass(frozen=True)
class Turn:
    """Epochs from `start` to `end` (one-based, both included) that a layer or the output had.

    `reason` is why a layer was finished ("threshold" or "limit"); the output has "".
    """

    name: str
    start: int
    end: int
    reason: str


def turns_of(history: pd.DataFrame) -> list[Turn]:
    """The turns of one run: layers "1", "2", ..., then the output.

    Args:
        history: columns epoch, stage, finished_layer, reason; one row per epoch, ascending.
    """
    finished = history.dropna(subset="finished_layer")
    turns, start = [], 1
    for row in finished.to_dict("records"):
        end = int(row["epoch"])
        turns.append(Turn(str(row["finished_layer"]), start, end, str(row["reason"])))
        start = end + 1
    output = history.loc[history["stage"] == OUTPUT, "epoch"]
    if len(output):
        turns.append(Turn(OUTPUT, int(output.min()), int(output.max()), ""))
    return turns


def draw_strips(
    axes: Axes, turns: Mapping[str, Sequence[Turn]], colors: Sequence[str], epochs: int
) -> None:
    """Draw one strip per experiment, the first on top.

    Args:
        axes: their x axis is one of epochs.
        turns: of each experiment, by the name that stands before its strip.
        colors: one for each experiment.
        epochs: length of the axis.
    """
    for place, (found, color) in enumerate(zip(turns.values(), colors, strict=True)):
        if not found:
            axes.text(
                1,
                place,
                "all layers at once",
                fontsize=TYPE_SIZE,
                color=color,
                va="center_baseline",
            )
        for turn, shade in zip(found, SHADES * len(found), strict=False):
            _bar(axes, place, turn, color, shade)
        for group in groups([turn for turn in found if turn.name != OUTPUT], epochs):
            _label(axes, place, group, color)
    axes.set_ylim(len(turns) - 0.4, -0.6)
    axes.set_yticks(range(len(turns)), list(turns))
    for label, color in zip(axes.get_yticklabels(), colors, strict=True):
        label.set_color(color)
    axes.grid(False)
    axes.tick_params(length=0, labelbottom=False)
    axes.spines[:].set_visible(False)


def _bar(axes: Axes, place: int, turn: Turn, color: str, shade: float) -> None:
    left, width = turn.start - 0.5, turn.end - turn.start + 1
    if turn.name == OUTPUT:
        axes.barh(place, width, BAR_HEIGHT, left=left, **OUTPUT_STYLE)
        return
    axes.barh(place, width, BAR_HEIGHT, left=left, color=color, alpha=shade, linewidth=0)


def _label(axes: Axes, place: int, group: Sequence[Turn], color: str) -> None:
    """The layers' names, and why the last of them was finished."""
    middle = (group[0].start + group[-1].end) / 2
    axes.text(middle, place, name_of(group), fontsize=TYPE_SIZE, ha="center", va="center_baseline")
    axes.plot(
        group[-1].end + 0.5,
        place,
        marker=REASON_MARKERS[group[-1].reason],
        markersize=3.5,
        color=color,
        zorder=4,
        clip_on=False,
    )


def groups(turns: Sequence[Turn], epochs: int) -> list[list[Turn]]:
    """Neighbouring layers that share a label because their turns are too short for one each."""
    found: list[list[Turn]] = []
    for turn in turns:
        if found and not _fits(found[-1], epochs):
            found[-1].append(turn)
        else:
            found.append([turn])
    if len(found) > 1 and not _fits(found[-1], epochs):
        last = found.pop()
        found[-1] += last
    return found


def _fits(group: Sequence[Turn], epochs: int) -> bool:
    share = (group[-1].end - group[0].start + 1) / epochs
    return share >= CHARACTER_WIDTH * len(name_of(group)) + LABEL_PADDING


def name_of(group: Sequence[Turn]) -> str:
    """Such as L1, or L2–4 for several layers."""
    first, last = group[0].name, group[-1].name
    return f"L{first}" if first == last else f"L{first}–{last}"
