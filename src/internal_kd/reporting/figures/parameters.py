"""Figures 2, 6, 7 and 8: what students of different depths score, against their size."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from internal_kd.errors import UserError
from internal_kd.reporting.figures import lines, remarks
from internal_kd.reporting.figures.style import (
    COLORS,
    COLUMN_WIDTH,
    METRIC_TITLES,
    new_figure,
    save_figure,
)
from internal_kd.reporting.runs import RunFolder, read_run_folders, select
from internal_kd.reporting.selection import runs_of
from internal_kd.specs.figures import ParametersSettings
from internal_kd.specs.tasks import Task

PARAMETERS = {  # columns by the names in metrics.json
    "total": "total_parameters",
    "embeddings": "embedding_parameters",
    "layers": "layer_parameters",
    "pooler": "pooler_parameters",
    "classifier": "classifier_parameters",
}
DRAWN = ("layers", "pooler")  # what the paper counts as parameters of transformer layers
SIZES = ["parameters", *PARAMETERS.values()]
COLUMNS = ["role", "experiment", "layers", *SIZES, "metric", *lines.POINT_COLUMNS]
ALL_DATA = 100  # percent
HEIGHT = 2.2  # inches without remarks
LABEL_PLACES = {  # from a marker to its number of layers: points, and alignment of the text
    "above": ((0, 4), "center", "bottom"),
    "below": ((0, -4), "center", "top"),
    "right": ((6, 0), "left", "center"),
}
MILLION, THOUSAND = 1e6, 1e3


def write_parameters(
    runs: Iterable[str | Path], settings: ParametersSettings, out: str | Path
) -> None:
    """Write the figure as `out` (.csv, see `build`), .pdf and .png.

    Args:
        runs: folders of the teacher's runs and of both students' at every depth.
        settings: of the figure.
        out: path of the .csv.

    Raises:
        UserError: runs are given twice, or those of one depth differ in size.
    """
    frame = build(read_run_folders(runs, settings.task_specs), settings)
    below = remarks.wrapped(_remarks(frame, settings), COLUMN_WIDTH)
    figure = _draw(frame, settings.task_specs[settings.task], HEIGHT + remarks.height(below))
    save_figure(figure, frame, out, below)


def build(runs: Sequence[RunFolder], settings: ParametersSettings) -> pd.DataFrame:
    """One row per role and depth, of runs on all data: sizes, and development score (0 to 1).

    `parameters` are those of transformer layers and pooler. `std`, and `low` and `high`, the ends
    of the 95 % interval of the mean, are empty for fewer than three seeds (`n`); `scores` are those
    of the single seeds, `flags` those of any of them.

    Raises:
        UserError: see `write_parameters`.
    """
    task, all_data = settings.task, select(runs, percent=ALL_DATA)
    groups = [
        (role, found)
        for role in lines.ROLES
        for found in _by_depth(all_data, task, settings.roles[role].name)
    ]
    metric = settings.task_specs[task].selection_metric
    rows = [
        {"role": role, "experiment": found[0].experiment, "layers": found[0].layers}
        | _sizes(found)
        | {"metric": metric}
        | vars(lines.point(found))
        for role, found in groups
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _by_depth(runs: Sequence[RunFolder], task: str, experiment: str) -> list[list[RunFolder]]:
    """The runs of an experiment in groups of one depth, ascending."""
    depths = sorted({run.layers for run in select(runs, task=task, experiment=experiment)})
    return [runs_of(select(runs, layers=depth), task, experiment) for depth in depths]


def _sizes(runs: Sequence[RunFolder]) -> dict[str, int]:
    sizes = [
        {column: vars(run.metrics.parameters)[name] for name, column in PARAMETERS.items()}
        for run in runs
    ]
    if any(size != sizes[0] for size in sizes):
        raise UserError(
            f"{runs[0].folder.parent}: runs of one depth with different numbers of parameters; "
            "make them again from one base model"
        )
    drawn = sum(sizes[0][PARAMETERS[name]] for name in DRAWN)
    return {"parameters": drawn, **sizes[0]}


def _draw(frame: pd.DataFrame, task: Task, height: float) -> Figure:
    figure, axes = new_figure(COLUMN_WIDTH, height)
    axes.set_title(f"{task.title}, development set", loc="left")
    axes.set_ylabel(METRIC_TITLES[task.selection_metric])
    if frame.empty:
        lines.empty(axes)
        return figure
    unit, name = (MILLION, "M") if frame["parameters"].max() >= MILLION else (THOUSAND, "k")
    axes.set_xlabel(f"Parameters of layers and pooler ({name})")
    roles = [role for role in lines.ROLES if role in set(frame["role"])]
    for role in roles:
        rows = frame[frame["role"] == role]
        if role == "teacher":
            lines.draw_teacher(axes, lines.band_of(rows.iloc[0]))
        lines.draw_points(axes, rows["parameters"] / unit, rows, role)
    sides = _label_sides(frame)
    scores = _label_scores(frame, sides)
    for index, role, layers, size in zip(
        frame.index, frame["role"], frame["layers"], frame["parameters"], strict=True
    ):
        place = (size / unit, 100 * scores[index])
        _label(axes, str(layers), place, sides[index], COLORS[role])
    axes.margins(x=0.1)
    lines.pad_scores(axes, frame)
    lines.role_legend(figure, roles, teacher_points=True)
    return figure


def _label_sides(frame: pd.DataFrame) -> dict[int, str]:
    """Where the label of each row stands: of two students the lower one has it below.

    A teacher has it above, or to the right where students of its depth have theirs.
    """
    students = frame[frame["role"] != "teacher"]
    order = students.sort_values(["layers", "mean", "role"], ascending=[True, False, True])
    sides = dict.fromkeys(students.index, "below")
    sides |= dict.fromkeys(order.groupby("layers").head(1).index, "above")
    for index, depth in frame.loc[frame["role"] == "teacher", "layers"].items():
        sides[index] = "right" if depth in set(students["layers"]) else "above"
    return sides


def _label_scores(frame: pd.DataFrame, sides: Mapping[int, str]) -> dict[int, float]:
    """The score (0 to 1) beside which each label stands: beyond all markers of its depth."""
    marked: dict[int, list[float]] = {}
    for layers, scores in zip(frame["layers"], lines.marked(frame), strict=True):
        marked.setdefault(layers, []).extend(scores)
    ends = {"above": max, "below": min}
    rows = zip(frame.index, frame["layers"], frame["mean"], strict=True)
    return {
        index: mean if sides[index] == "right" else ends[sides[index]](marked[layers])
        for index, layers, mean in rows
    }


def _label(axes: Axes, text: str, place: tuple[float, float], side: str, color: str) -> None:
    """The number of layers on a side of its point."""
    distance, horizontal, vertical = LABEL_PLACES[side]
    axes.annotate(
        text,
        place,
        xytext=distance,
        textcoords="offset points",
        ha=horizontal,
        va=vertical,
        color=color,
        fontsize=7,
        zorder=5,
        path_effects=[patheffects.withStroke(linewidth=2, foreground="white")],
    )


def _remarks(frame: pd.DataFrame, settings: ParametersSettings) -> list[str]:
    students = frame[frame["role"] != "teacher"]
    teachers = int(frame.loc[frame["role"] == "teacher", "n"].sum())
    depths = students["layers"].nunique()
    single = "Only one number of student layers: the study has no sweep over them on this task."
    return [
        f"Study: {settings.study}. Numbers at the points: transformer layers. Parameters: those "
        "of transformer layers and pooler, without embeddings and classification layer.",
        remarks.roles_sentence(settings),
        remarks.seeds_sentence(students["n"]),
        remarks.teachers_sentence(teachers, students["n"]),
        remarks.heads_sentence(settings.roles[role] for role in lines.STUDENTS),
        single if depths == 1 else "",
        remarks.missing_sentence(frame["role"]),
        remarks.flag_sentence(frame["flags"]),
        settings.note,
    ]
