from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from internal_kd.errors import UserError
from internal_kd.evaluation.predictions import SplitPredictions
from internal_kd.reporting.figures import calibration
from internal_kd.reporting.figures.calibration import (
    BIN_COLUMNS,
    SUMMARY_COLUMNS,
    build_bins,
    build_summary,
    write_calibration,
)
from internal_kd.reporting.figures.style import COLORS
from internal_kd.specs.figures import CalibrationSettings, RoleRow
from internal_kd.study.glue import GLUE
from tests.reporting.fake_runs import frame_of, write_fake_run
from tests.reporting.figures.attention_patterns import drawn, words
from tests.reporting.product import write_product

SETTINGS = CalibrationSettings(
    task_specs=GLUE,
    study="small",
    note="Not the paper's numbers.",
    tasks=("cola", "rte"),
    experiments=[
        RoleRow("exp1.0", "Teacher", None, role="teacher"),
        RoleRow("exp2.0", "Student soft", "random", role="standard"),
        RoleRow("exp3.2", "Student + kl", "random", role="internal"),
    ],
)
LABELS = np.array([1, 1, 1, 0])


def sure_of_class_1(*probabilities: float) -> SplitPredictions:
    """Predictions on `LABELS` with these probabilities of class 1."""
    p = np.array(probabilities)
    logits = np.stack([np.zeros(len(p)), np.log(p / (1 - p))], axis=1)
    return frame_of(LABELS[: len(p)], logits.astype(np.float32))


CALIBRATED = sure_of_class_1(0.75, 0.75, 0.75, 0.75)  # three of four right
TOO_SURE = sure_of_class_1(0.95, 0.95, 0.95, 0.95)
PREDICTIONS = {
    ("rte", "exp1.0", "teacher"): [CALIBRATED],
    ("rte", "exp2.0", "standard"): [CALIBRATED, TOO_SURE],
    ("rte", "exp3.2", "internal"): [],
}


@pytest.fixture
def add(tmp_path):
    def write(task, experiment, validation=CALIBRATED, seed=0, **more):
        frames = {"validation": validation}
        return write_fake_run(tmp_path, task, experiment, seed=seed, **frames, **more)

    return write


@pytest.fixture
def runs(add):
    """Teacher and two students on two tasks, the students with two seeds."""
    return [
        add(task, name, frame, seed)
        for task in SETTINGS.tasks
        for name, seeds in (("exp1.0", 1), ("exp2.0", 2), ("exp3.2", 2))
        for seed, frame in zip(range(seeds), (CALIBRATED, TOO_SURE), strict=False)
    ]


@pytest.fixture
def draw(monkeypatch, tmp_path):
    """The figure, and the summary as it was written."""

    def draw_runs(runs, settings=SETTINGS):
        folders, out = [run.folder for run in runs], tmp_path / "calibration.csv"
        found = drawn(monkeypatch, calibration, write_calibration, folders, settings, out)
        summary = pd.read_csv(tmp_path / "calibration_summary.csv")
        return SimpleNamespace(
            figure=found.figure,
            axes=found.axes,
            frame=found.frame,
            remarks=found.remarks,
            summary=summary,
        )

    return draw_runs


def test_bins_of_all_seeds_together() -> None:
    frame = build_bins(PREDICTIONS)
    assert list(frame.columns) == BIN_COLUMNS
    assert frame["experiment"].tolist() == ["exp1.0", "exp2.0", "exp2.0"]
    assert frame["seeds"].tolist() == [1, 2, 2]
    assert frame["count"].tolist() == [4, 4, 4]
    assert frame["confidence"].tolist() == pytest.approx([0.75, 0.75, 0.95])
    assert frame["accuracy"].tolist() == [0.75, 0.75, 0.75]
    assert frame["low"].tolist() == pytest.approx([11 / 15, 11 / 15, 14 / 15], abs=1e-6)


def test_summary_is_a_mean_over_seeds() -> None:
    frame = build_summary(PREDICTIONS).set_index("experiment")
    assert list(frame.reset_index()[SUMMARY_COLUMNS].columns) == SUMMARY_COLUMNS
    teacher, student = frame.loc["exp1.0"], frame.loc["exp2.0"]
    assert teacher[["seeds", "n"]].tolist() == [1, 4]
    assert teacher["ece"] == pytest.approx(0, abs=1e-6)
    assert teacher["over_confidence"] == pytest.approx(0, abs=1e-6)
    assert teacher["brier"] == pytest.approx(2 * (3 * 0.25**2 + 0.75**2) / 4)
    assert pd.isna(teacher["ece_std"])
    assert student["seeds"] == 2
    assert student["ece"] == pytest.approx((0 + 0.2) / 2)
    assert pd.isna(student["ece_std"])
    assert student["confidence"] == pytest.approx(0.85)
    assert student["accuracy"] == 0.75
    assert student["over_confidence"] == pytest.approx(0.1)


def test_standard_deviations_from_three_seeds_on() -> None:
    """Calibration errors 0, 0 and 0.2."""
    key = ("rte", "exp2.0", "standard")
    row = build_summary({key: [CALIBRATED, CALIBRATED, TOO_SURE]}).iloc[0]
    assert row["ece"] == pytest.approx(0.2 / 3, abs=1e-6)
    assert row["ece_std"] == pytest.approx(0.2 / np.sqrt(3), abs=1e-6)
    assert row["accuracy_std"] == 0.0


def test_an_experiment_without_runs_has_an_empty_row() -> None:
    row = build_summary(PREDICTIONS).set_index("experiment").loc["exp3.2"]
    assert row["seeds"] == 0
    assert row.drop(["task", "role", "seeds"]).isna().all()


def test_panels(runs, draw) -> None:
    found = draw(runs)
    assert [axes.get_title() for axes in found.axes] == ["CoLA", "RTE"]
    assert [axes.get_ylabel() for axes in found.axes] == ["Accuracy (%)", ""]
    axes = found.axes[1]
    assert axes.get_xlabel() == "Confidence (%)"
    (standard,) = [line for line in axes.lines if line.get_color() == COLORS["standard"]]
    assert standard.get_xdata() == pytest.approx([75, 95])
    assert standard.get_ydata() == pytest.approx([75, 75])
    (diagonal,) = [line for line in axes.lines if line.get_linestyle() == ":"]
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata())
    assert len(axes.collections) == 3
    assert words(axes.texts) == ["ECE (%)", "0.0", "10.0", "10.0"]
    assert [text.get_color() for text in axes.texts[1:]] == list(COLORS.values())
    legend = words(found.figure.legends[0].get_texts())
    assert legend == ["Teacher", "Standard KD", "Internal KD"]


def test_markers_grow_with_the_number_of_examples(add, draw) -> None:
    frame = sure_of_class_1(0.75, 0.75, 0.75, 0.95)
    found = draw([add("cola", "exp2.0", frame)], replace(SETTINGS, tasks=("cola",)))
    few, many = sorted(found.axes[0].collections[0].get_sizes())
    assert many == pytest.approx(3 * few)


@pytest.mark.parametrize(("count", "panels"), [(1, 1), (3, 3), (4, 4), (5, 5)])
def test_a_panel_for_each_task(add, draw, count, panels) -> None:
    tasks = ["cola", "qqp", "mrpc", "rte", "qnli"][:count]
    found = draw([add(task, "exp1.0") for task in tasks], replace(SETTINGS, tasks=tasks))
    assert len([axes for axes in found.axes if axes.axison]) == panels
    FigureCanvasAgg(found.figure).draw()
    for axes in found.axes[:count]:
        boxes = [text.get_window_extent() for text in axes.texts]
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_summary_is_written_beside(runs, draw) -> None:
    found = draw(runs)
    assert found.summary["task"].tolist() == ["cola"] * 3 + ["rte"] * 3
    assert found.summary["role"].tolist() == ["teacher", "standard", "internal"] * 2
    assert found.summary["ece"].tolist() == pytest.approx([0, 0.1, 0.1] * 2, abs=1e-6)


def test_remarks(runs, draw) -> None:
    remarks = draw(runs).remarks
    assert "Internal KD: Exp3.2 (Student + kl)." in remarks
    assert "15 bins" in remarks
    assert "Two seeds: differences are hints." in remarks
    assert "Heads" not in remarks
    assert remarks.endswith(SETTINGS.note)
    assert "No runs" not in remarks


def test_students_with_three_seeds_are_not_hints(runs, add, draw) -> None:
    more = [add(task, name, seed=2) for task in SETTINGS.tasks for name in ("exp2.0", "exp3.2")]
    assert "hints" not in draw([*runs, *more]).remarks


def test_several_teachers_count_together(runs, add, draw) -> None:
    found = draw([*runs, add("rte", "exp1.0", TOO_SURE, seed=1)])
    row = found.summary.set_index(["task", "role"]).loc[("rte", "teacher")]
    assert row["seeds"] == 2
    assert row["ece"] == pytest.approx(0.1, abs=1e-6)


def test_single_class_predictions_are_drawn_and_reported(runs, add, draw) -> None:
    worst = sure_of_class_1(*[1 - 1e-7] * 4)
    more = [add("cola", "exp2.0", worst, seed=2, flags=["one_class"])]
    remarks = draw([*runs, *more]).remarks
    assert "Exp2.0 on CoLA: at least one run always predicts the same class." in remarks


def test_missing_runs_are_reported(runs, draw) -> None:
    found = draw([run for run in runs if run.task == "cola" and run.experiment != "exp3.2"])
    missing = "No runs of: Exp3.2 on CoLA, Exp1.0 on RTE, Exp2.0 on RTE, Exp3.2 on RTE."
    assert missing in found.remarks
    assert words(found.axes[1].texts) == ["no runs"]
    assert words(found.axes[0].texts) == ["ECE (%)", "0.0", "10.0"]
    assert found.summary["seeds"].tolist() == [1, 2, 0, 0, 0, 0]


def test_no_runs_at_all(draw) -> None:
    found = draw([])
    assert [words(axes.texts) for axes in found.axes] == [["no runs"]] * 2
    assert list(found.frame.columns) == BIN_COLUMNS
    assert found.figure.legends == []


def test_seeds_with_different_examples_are_refused(runs, add) -> None:
    other = add("rte", "exp2.0", sure_of_class_1(0.7, 0.7), seed=2)
    with pytest.raises(UserError, match="its development examples are not those of"):
        write_calibration([run.folder for run in [*runs, other]], SETTINGS, "unused.csv")


def test_stage_writes_four_files(tmp_path, runs) -> None:
    out = tmp_path / "figures/own.csv"
    folders = [str(run.folder) for run in runs]
    argv = ["--out", str(out), "--runs", *folders]
    write_product("figures.calibration:write_calibration", SETTINGS, *argv)
    names = {path.name for path in out.parent.iterdir()}
    assert names == {"own.csv", "own.pdf", "own.png", "own_summary.csv"}
    assert len(pd.read_csv(out)) == 2 * (1 + 2 + 2)
