"""Distance of students of standard and internal KD from their teacher, layer by layer.

Figure 5 shows one head on one example; this one the attention divergence (Equation 2) and the [CLS]
cosine distance (Equation 3) on the whole development set. The paper has no such figure.
"""

from collections.abc import Iterable
from pathlib import Path

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
from internal_kd.tasks import get_task

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
        axes.set_ylabel(get_task(task).title)
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
        f"{capitalized(settings.roles[role].name)} on {get_task(task).title}"
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
