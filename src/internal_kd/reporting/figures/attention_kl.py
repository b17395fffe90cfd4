"""Distance of students of standard and internal KD from their teacher, layer by layer.

Figure 5 shows one head on one example; this one the attention divergence (Equation 2) and the [CLS]
cosine distance (Equation 3) on the whole development set. The paper has no such figure.

Strips above a plot over epochs: which layer is learnt when, one strip per experiment.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from internal_kd.errors import UserError
from internal_kd.evaluation.attention_distances import MEASURES, read_distances
from internal_kd.reporting.figures import remarks
from internal_kd.reporting.figures.style import COLORS, PAGE_WIDTH, new_figure, save_figure
from internal_kd.reporting.wording import capitalized
from internal_kd.specs.figures import AttentionKlSettings

ROLES = ("standard", "internal")
ROLE_TITLES = {"standard": "Standard KD", "internal": "Internal KD"}
MEASURE_TITLES = {
    "attention_kl": "Attention KL (nats)",
    "cosine_distance": "[CLS] cosine distance",
}
QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}
KEYS = ["task", "experiment", "seed", "layer", "teacher_layer", "measure"]
COLUMNS = [*KEYS, "n", "mean", "median", "q05", "q25", "q75", "q95"]
POOLED = "all"

ROW_HEIGHT = 1.3  # inches
HEAD = 0.7  # inches for legend, titles and names of the axes
BOX_WIDTH, BOX_DISTANCE = 0.34, 0.4  # of the distance between layers
FACE_ALPHA = 0.35
DECADES_FOR_LOG = 2.0


def write_attention_kl(
    distances: Iterable[str | Path], settings: AttentionKlSettings, out: str | Path
) -> None:
    """Write the figure as `out` (.csv, see `build`), .pdf and .png.

    Args:
        distances: files of distances from the teacher, one per student.
        settings: of the figure; its tasks are the rows.
        out: path of the .csv.

    Raises:
        UserError: a file is none of distances, or students of different sizes are mixed.
    """
    frame = build(read_distances(distances), settings)
    below = remarks.wrapped([*_remarks(frame, settings), settings.note], PAGE_WIDTH)
    figure = _draw(frame, settings, remarks.height(below))
    save_figure(figure, frame, out, below)


def build(distances: pd.DataFrame, settings: AttentionKlSettings) -> pd.DataFrame:
    """Distributions over the examples: one row per task, experiment, seed, layer and measure.

    Those of seed "all", over the examples of all seeds, are drawn. Quantiles are interpolated
    between examples; `q05` is the 5 % quantile.

    Raises:
        UserError: the runs of an experiment on a task differ in depth or share of the data.
    """
    names = [settings.roles[role].name for role in ROLES]
    chosen = distances["experiment"].isin(names) & distances["task"].isin(settings.tasks)
    found = distances[chosen]
    sizes = found.groupby(["task", "experiment"])[["layers", "percent"]].nunique()
    for task, experiment in sizes.index[(sizes > 1).any(axis=1)]:
        raise UserError(
            f"{experiment} on {task}: distances of runs of different layers or shares of the "
            "training data; give --distances those of one size only"
        )
    by_seed = [_summary(found, measure, ["seed"]) for measure in MEASURES]
    pooled = [_summary(found, measure, []).assign(seed=POOLED) for measure in MEASURES]
    frame = pd.concat([*by_seed, *pooled])[COLUMNS].astype({"seed": str})
    return frame.sort_values(KEYS, kind="stable", ignore_index=True).round(9)


def _summary(distances: pd.DataFrame, measure: str, more: list[str]) -> pd.DataFrame:
    groups = distances.groupby(["task", "experiment", "layer", "teacher_layer", *more])[measure]
    quantiles = {name: groups.quantile(share) for name, share in QUANTILES.items()}
    summary = pd.DataFrame({"n": groups.count(), "mean": groups.mean(), **quantiles})
    return summary.reset_index().assign(measure=measure)


def _draw(frame: pd.DataFrame, settings: AttentionKlSettings, foot: float) -> Figure:
    """Rows are tasks, columns the two measures; a column has one scale."""
    tasks = settings.tasks
    figure, grid = new_figure(
        PAGE_WIDTH,
        ROW_HEIGHT * len(tasks) + HEAD + foot,
        nrows=len(tasks),
        ncols=len(MEASURES),
        sharey="col",
        squeeze=False,
    )
    drawn = frame[frame["seed"] == POOLED]
    for column, measure in zip(grid.T, MEASURES, strict=True):
        values = drawn[drawn["measure"] == measure]
        for axes, task in zip(column, tasks, strict=True):
            _panel(axes, values[values["task"] == task], settings)
        column[0].set_title(MEASURE_TITLES[measure])
        column[-1].set_xlabel("student layer (teacher layer)")
        _scale(column[0], values)
    for axes, task in zip(grid[:, 0], tasks, strict=True):
        axes.set_ylabel(settings.task_specs[task].title)
    handles = [Patch(color=COLORS[role], alpha=FACE_ALPHA) for role in ROLES]
    figure.legend(
        handles, [_name(role, settings) for role in ROLES], loc="outside upper center", ncols=2
    )
    return figure


def _name(role: str, settings: AttentionKlSettings) -> str:
    return f"{ROLE_TITLES[role]} ({capitalized(settings.roles[role].name)})"


def _panel(axes: Axes, part: pd.DataFrame, settings: AttentionKlSettings) -> None:
    """Boxes of both students beside each other at every layer."""
    if part.empty:
        axes.text(0.5, 0.5, "no distances", ha="center", va="center", transform=axes.transAxes)
        axes.set_xticks([])
        return
    for role, side in zip(ROLES, (-0.5, 0.5), strict=True):
        rows = part[part["experiment"] == settings.roles[role].name]
        _boxes(axes, rows, rows["layer"].to_numpy() + side * BOX_DISTANCE, COLORS[role])
    layers = part.drop_duplicates("layer")
    labels = [f"{row.layer} ({row.teacher_layer})" for row in layers.itertuples()]
    axes.set_xticks(layers["layer"], labels)
    axes.set_xlim(0.5, layers["layer"].max() + 0.5)
    axes.grid(False, axis="x")


def _boxes(axes: Axes, rows: pd.DataFrame, places: npt.NDArray[np.float64], color: str) -> None:
    """Boxes from the lower to the upper quartile; whiskers from the 5 % to the 95 % quantile."""
    boxes = [
        {"med": row.median, "q1": row.q25, "q3": row.q75, "whislo": row.q05, "whishi": row.q95}
        for row in rows[list(QUANTILES)].itertuples()
    ]
    line = {"color": color, "linewidth": 0.8}
    axes.bxp(
        boxes,
        positions=places,
        widths=BOX_WIDTH,
        showfliers=False,
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": to_rgba(color, FACE_ALPHA), "edgecolor": color, "linewidth": 0.8},
        medianprops={"color": color, "linewidth": 1.6},
        whiskerprops=line,
        capprops=line,
    )


def _scale(axes: Axes, values: pd.DataFrame) -> None:
    """A logarithmic axis where the boxes span decades, else one that begins at zero."""
    low, high = values["q05"].min(), values["q95"].max()
    if low > 0 and np.log10(high / low) >= DECADES_FOR_LOG:
        axes.set_yscale("log")
    elif high > 0:
        axes.set_ylim(bottom=0.0)


def _remarks(frame: pd.DataFrame, settings: AttentionKlSettings) -> list[str]:
    seeds = frame[frame["seed"] != POOLED].groupby(["task", "experiment"])["seed"].nunique()
    most = seeds.max() if len(seeds) else 0
    pooled = {0: "no runs", 1: "one seed"}.get(most, f"all {most} seeds together")
    known = set(zip(frame["task"], frame["experiment"], strict=True))
    missing = [
        f"{capitalized(settings.roles[role].name)} on {settings.task_specs[task].title}"
        for task in settings.tasks
        for role in ROLES
        if (task, settings.roles[role].name) not in known
    ]
    return [
        f"Study: {settings.study}. Distances from the matching teacher layer on the whole "
        f"development set, {pooled}. Box: quartiles and median; whiskers: 5% to 95%.",
        remarks.hint_sentence(seeds),
        remarks.heads_sentence(settings.roles.values()),
        f"No distances of {', '.join(missing)}." if missing else "",
    ]


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
