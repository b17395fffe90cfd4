"""Figures 3 and 9: what students score, against how many examples they were trained on."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from internal_kd.reporting.figures import lines, remarks
from internal_kd.reporting.figures.style import (
    COLUMN_WIDTH,
    METRIC_TITLES,
    new_figure,
    save_figure,
)
from internal_kd.reporting.runs import RunFolder, read_run_folders, select
from internal_kd.reporting.selection import runs_of
from internal_kd.specs.figures import DataSizeSettings
from internal_kd.specs.tasks import Task

COLUMNS = ["role", "experiment", "percent", "examples", "metric", *lines.POINT_COLUMNS]
ALL_DATA = 100  # percent
HEIGHT = 2.4  # inches without remarks
FACTOR_FOR_LOG = 8  # between smallest and largest number of examples
TICK_DISTANCE = 0.1  # of the axis between the middles of labels


def write_data_size(
    runs: Iterable[str | Path], settings: DataSizeSettings, out: str | Path
) -> None:
    """Write the figure as `out` (.csv, see `build`), .pdf and .png.

    Args:
        runs: folders of the teachers' runs and of both students' with every share of the data.
        settings: of the figure.
        out: path of the .csv.

    Raises:
        UserError: a run is given twice.
    """
    task = settings.task_specs[settings.task]
    frame = build(read_run_folders(runs, settings.task_specs), settings)
    below = remarks.wrapped(_remarks(frame, settings), COLUMN_WIDTH)
    figure = _draw(frame, task, HEIGHT + remarks.height(below))
    save_figure(figure, frame, out, below)


def build(runs: Sequence[RunFolder], settings: DataSizeSettings) -> pd.DataFrame:
    """One row per role and share of the data: its examples, and development score (0 to 1).

    `std`, and `low` and `high`, the ends of the 95 % interval of the mean, are empty for fewer than
    three seeds (`n`); `scores` are those of the single seeds, `flags` those of any of them.

    Args:
        runs: students of other depths than `settings.layers` are left out.
        settings: of the figure.

    Raises:
        UserError: a run is given twice.
    """
    task, metric = settings.task, settings.task_specs[settings.task].selection_metric
    rows = [
        {"role": role, "experiment": found[0].experiment, "percent": found[0].percent}
        | {"examples": found[0].metrics.train_examples, "metric": metric}
        | vars(lines.point(found))
        for role in lines.ROLES
        for found in _by_share(
            select(runs, layers=None if role == "teacher" else settings.layers),
            task,
            settings.roles[role].name,
        )
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _by_share(runs: Sequence[RunFolder], task: str, experiment: str) -> list[list[RunFolder]]:
    """The runs of an experiment in groups of one share of the data, ascending."""
    shares = sorted({run.percent for run in select(runs, task=task, experiment=experiment)})
    return [runs_of(select(runs, percent=share), task, experiment) for share in shares]


def _draw(frame: pd.DataFrame, task: Task, height: float) -> Figure:
    figure, axes = new_figure(COLUMN_WIDTH, height)
    axes.set_title(f"{task.title}, development set", loc="left")
    axes.set_ylabel(METRIC_TITLES[task.selection_metric])
    if frame.empty:
        lines.empty(axes)
        return figure
    roles = [role for role in lines.ROLES if role in set(frame["role"])]
    for role in roles:
        rows = frame[frame["role"] == role]
        if role == "teacher":
            _draw_teachers(axes, rows)
        else:
            lines.draw_points(axes, rows["examples"], rows, role)
    _scale(axes, frame)
    lines.pad_scores(axes, frame)
    lines.role_legend(figure, roles, teacher_points=_several_teachers(frame))
    return figure


def _draw_teachers(axes: Axes, teachers: pd.DataFrame) -> None:
    """The teacher of all data as a dashed line, those of parts of it as points."""
    for _, point in teachers[_of_all_data(teachers)].iterrows():
        lines.draw_teacher(axes, lines.band_of(point))
    if _several_teachers(teachers):
        lines.draw_points(axes, teachers["examples"], teachers, "teacher")


def _scale(axes: Axes, frame: pd.DataFrame) -> None:
    """Ticks at the numbers of examples that occur, on a logarithmic axis where they span much."""
    sizes = frame.drop_duplicates("examples").sort_values("examples")
    numbers = sizes["examples"].to_numpy(np.float64)
    logarithmic = numbers[-1] > FACTOR_FOR_LOG * numbers[0]
    if logarithmic:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
    places = np.log(numbers) if logarithmic else numbers
    labelled = _apart(places)
    labels = [
        f"{_short(row['examples'])}\n{row['percent']}%" if shown else ""
        for row, shown in zip(sizes.to_dict("records"), labelled, strict=True)
    ]
    axes.set_xticks(numbers, labels)
    axes.set_xlabel("Training examples" + (" (log scale)" if logarithmic else ""))
    axes.margins(x=0.08)


def _apart(places: npt.NDArray[np.float64]) -> list[bool]:
    """Which of ascending places get a label: from the last one down, those far enough apart."""
    span, shown = float(np.ptp(places)), [places[-1]]
    for place in places[-2::-1]:
        if shown[-1] - place >= TICK_DISTANCE * span:
            shown.append(place)
    return [bool(place in shown) for place in places]


def _short(number: int) -> str:
    """Such as 250, 3.7k, 36k or 1.2M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if number >= size:
            scaled = number / size
            return f"{scaled:.0f}{letter}" if scaled >= 10 else f"{scaled:.1f}{letter}"
    return str(number)


def _several_teachers(frame: pd.DataFrame) -> bool:
    return bool(((frame["role"] == "teacher") & (frame["percent"] < ALL_DATA)).any())


def _of_all_data(frame: pd.DataFrame) -> "pd.Series[bool]":
    """Which row is the teacher that has seen all data."""
    return (frame["role"] == "teacher") & (frame["percent"] == ALL_DATA)


def _remarks(frame: pd.DataFrame, settings: DataSizeSettings) -> list[str]:
    students = frame[frame["role"] != "teacher"]
    whole = frame[_of_all_data(frame)]
    single = "Only one training size: the study has no sweep over it on this task."
    return [
        f"Study: {settings.study}. Students of {settings.layers} transformer layers.",
        remarks.roles_sentence(settings),
        _teacher_remark(frame),
        remarks.seeds_sentence(students["n"]),
        remarks.teachers_sentence(int(whole["n"].sum()), students["n"]),
        remarks.heads_sentence(settings.roles[role] for role in lines.STUDENTS),
        single if students["percent"].nunique() == 1 else "",
        remarks.missing_sentence(frame["role"]),
        remarks.flag_sentence((frame if _several_teachers(frame) else students)["flags"]),
        remarks.teacher_flag_sentence(whole["flags"]),
        settings.note,
    ]


def _teacher_remark(frame: pd.DataFrame) -> str:
    if "teacher" not in set(frame["role"]):
        return ""
    if _several_teachers(frame):
        own = "Each student learns from a teacher of its own share of the data"
        return f"{own}; dashed: that of all data."
    dashed = "Dashed: the teacher, trained on all data"
    return f"{dashed}, from which all students learn." if frame.loc[0, "n"] == 1 else f"{dashed}."
