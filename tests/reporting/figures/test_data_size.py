import math
from dataclasses import replace

import pandas as pd
import pytest

from internal_kd.errors import UserError
from internal_kd.reporting.figures import data_size
from internal_kd.reporting.figures.data_size import COLUMNS, build, write_data_size
from internal_kd.reporting.figures.style import COLORS
from internal_kd.specs.figures import DataSizeSettings
from tests.reporting.answers import answers
from tests.reporting.fake_runs import write_fake_run
from tests.reporting.figures.attention_patterns import SETTINGS, drawn, words
from tests.reporting.product import write_product

QNLI = DataSizeSettings(**vars(SETTINGS), task="qnli", layers=2)
EXAMPLES = 1230


@pytest.fixture
def add(tmp_path):
    """Write a run on qnli with this number of right development answers out of ten."""

    def write(experiment, right, percent=100, seed=0, layers=2, task="qnli", **more):
        frames = {"validation": answers(right)}
        sizes = {"layers": layers, "percent": percent, "seed": seed}
        sizes["train_examples"] = round(more.pop("examples", EXAMPLES) * percent / 100)
        return write_fake_run(tmp_path, task, experiment, **sizes, **frames, **more)

    return write


@pytest.fixture
def runs(add):
    """A teacher of all data, and students of 10, 50 and 100 % of it with two seeds."""
    students = [("exp2.0", 10, (4, 5)), ("exp2.0", 50, (5, 7)), ("exp2.0", 100, (8, 8))]
    students += [("exp3.2", 10, (6, 6)), ("exp3.2", 50, (7, 8)), ("exp3.2", 100, (8, 9))]
    return [
        add("exp1.0", 9, layers=4),
        *(
            add(name, right, percent, seed)
            for name, percent, rights in students
            for seed, right in enumerate(rights)
        ),
    ]


@pytest.fixture
def draw(monkeypatch):
    def draw_runs(runs, settings=QNLI):
        folders = [run.folder for run in runs]
        arguments = (folders, settings, "fig9.csv")
        return drawn(monkeypatch, data_size, write_data_size, *arguments)

    return draw_runs


def lines_of(axes, role, style="-"):
    return [x for x in axes.lines if x.get_color() == COLORS[role] and x.get_linestyle() == style]


def test_rows(runs) -> None:
    frame = build(runs, QNLI)
    assert list(frame.columns) == COLUMNS
    assert frame["percent"].tolist() == [100, 10, 50, 100, 10, 50, 100]
    assert frame["examples"].tolist() == [1230, 123, 615, 1230, 123, 615, 1230]
    assert frame.loc[2].to_dict() == {
        "role": "standard",
        "experiment": "exp2.0",
        "percent": 50,
        "examples": 615,
        "metric": "accuracy",
        "mean": 0.6,
        "std": pytest.approx(math.nan, nan_ok=True),
        "low": pytest.approx(math.nan, nan_ok=True),
        "high": pytest.approx(math.nan, nan_ok=True),
        "n": 2,
        "scores": "0.5 0.7",
        "flags": "",
    }


def test_students_of_other_depths_are_excluded(runs, add) -> None:
    more = [add("exp2.0", 1, layers=1), add("exp3.2", 1, 10, task="qqp")]
    expected = build(runs, QNLI)
    pd.testing.assert_frame_equal(build([*runs, *more], QNLI), expected)


def test_duplicate_run_is_rejected(runs) -> None:
    with pytest.raises(UserError, match="a seed occurs twice"):
        build([*runs, runs[0]], QNLI)


def test_lines_and_ticks(runs, draw) -> None:
    found = draw(runs)
    (axes,) = found.axes
    assert axes.get_ylabel() == "Accuracy (%)"
    assert axes.get_xscale() == "log"
    assert axes.get_xlabel() == "Training examples (log scale)"
    assert words(axes.get_xticklabels()) == ["123\n10%", "615\n50%", "1.2k\n100%"]
    (internal,) = lines_of(axes, "internal")
    assert internal.get_xdata().tolist() == [123, 615, 1230]
    assert internal.get_ydata() == pytest.approx([60, 75, 85])
    (reference,) = lines_of(axes, "teacher", "--")
    assert reference.get_ydata() == pytest.approx([90, 90])
    assert lines_of(axes, "teacher") == []
    assert len(axes.collections) == 0
    assert words(found.figure.legends[0].get_texts()) == ["Teacher", "Standard KD", "Internal KD"]


def test_linear_axis_for_a_small_span(runs, draw) -> None:
    found = draw([run for run in runs if run.percent != 10])
    assert found.axes[0].get_xscale() == "linear"
    assert found.axes[0].get_xlabel() == "Training examples"


def test_labels_of_close_sizes_are_omitted_but_their_ticks_are_kept(runs, add, draw) -> None:
    found = draw([*runs, *(add("exp2.0", 8, percent) for percent in (96, 98))])
    assert words(found.axes[0].get_xticklabels()) == ["123\n10%", "615\n50%", "", "", "1.2k\n100%"]
    assert found.axes[0].get_xticks().tolist() == [123, 615, 1181, 1205, 1230]


@pytest.mark.parametrize(
    ("number", "label"), [(250, "250"), (3668, "3.7k"), (36385, "36k"), (1_200_000, "1.2M")]
)
def test_short_numbers(add, draw, number, label) -> None:
    found = draw([add("exp1.0", 9, layers=4, examples=number)])
    assert words(found.axes[0].get_xticklabels()) == [f"{label}\n100%"]


def test_teachers_of_parts_of_the_data_are_a_line(runs, add, draw) -> None:
    teachers = [add("exp1.0", 6, 10, layers=4), add("exp1.0", 8, 50, layers=4)]
    found = draw([*runs, *teachers])
    (line,) = lines_of(found.axes[0], "teacher")
    assert line.get_xdata().tolist() == [123, 615, 1230]
    assert line.get_ydata() == pytest.approx([60, 80, 90])
    assert len(lines_of(found.axes[0], "teacher", "--")) == 1
    assert "Each student learns from a teacher of its own share of the data" in found.remarks


def test_teachers_of_several_seeds_are_their_mean_and_a_band_from_three_on(runs, add, draw) -> None:
    for seed, bands in ((1, 0), (2, 1)):
        runs.append(add("exp1.0", 7, layers=4, seed=seed))
        found = draw(runs)
        (reference,) = lines_of(found.axes[0], "teacher", "--")
        assert reference.get_ydata()[0] == pytest.approx(100 * (0.9 + 0.7 * seed) / (1 + seed))
        assert len(found.axes[0].patches) == bands
        assert f"Teacher: mean of {1 + seed}, one for each student seed." in found.remarks
        assert "Dashed: the teacher, trained on all data." in found.remarks


def test_three_seeds_have_a_band_and_one_teacher_gives_hints(runs, add, draw) -> None:
    students = [run for run in runs if run.experiment != "exp1.0"]
    more = [add(run.experiment, 7, run.percent, 2) for run in students if run.seed == 0]
    found = draw([*runs, *more])
    assert len(found.axes[0].collections) == 2
    assert "Bands: 95% interval of the mean over 3 seeds." in found.remarks
    assert "One teacher: differences from it are hints." in found.remarks
    row = found.frame.loc[1]
    assert row["std"] == pytest.approx(0.152753, abs=1e-6)  # of 0.4, 0.5 and 0.7
    assert row["low"] < row["mean"] < row["high"]


def test_remarks(runs, draw) -> None:
    remarks = draw(runs).remarks
    assert remarks.startswith("Study: small. Students of 2 transformer layers.")
    assert "Dashed: the teacher, trained on all data, from which all students learn." in remarks
    assert "Two seeds: differences are hints. Points: single seeds" in remarks
    assert remarks.endswith(QNLI.note)
    assert "Only one" not in remarks
    assert "Hollow" not in remarks


def test_missing_sweep_is_reported(runs, draw) -> None:
    found = draw([run for run in runs if run.percent == 100])
    assert "Only one training size" in found.remarks
    assert len(lines_of(found.axes[0], "standard")) == 1


def test_flags_of_students_and_of_a_teacher_that_is_a_line(runs, add, draw) -> None:
    teacher = add("exp1.0", 5, layers=5, flags=["one_class"])
    student = add("exp2.0", 5, 25, flags=["at_majority"])
    found = draw([*runs[1:], teacher, student])
    assert (
        "Hollow markers: at least one run is not clearly better than the majority" in found.remarks
    )
    assert "The teacher always predicts the same class." in found.remarks
    hollow = [x for x in found.axes[0].lines if x.get_markerfacecolor() == "white"]
    assert [x.get_ydata().tolist() for x in hollow if len(x.get_xdata())] == [[50.0]]


def test_missing_roles_and_missing_runs_are_reported(runs, draw) -> None:
    assert "No runs of: teacher, standard KD." in draw(runs[7:]).remarks
    found = draw(runs, settings=replace(QNLI, task="qnli", layers=3))
    assert "No runs of: standard KD, internal KD." in found.remarks
    found = draw([])
    assert words(found.axes[0].texts) == ["no runs"]
    assert list(found.frame.columns) == COLUMNS


def test_stage_writes_three_files(tmp_path, runs) -> None:
    out = tmp_path / "figures/fig9.csv"
    inputs = ["--runs", *(str(run.folder) for run in runs)]
    argv = [*inputs, "--out", str(out)]
    write_product("figures.data_size:write_data_size", QNLI, *argv)
    assert {path.name for path in out.parent.iterdir()} == {"fig9.csv", "fig9.pdf", "fig9.png"}
    expected = build(runs, QNLI)
    found = pd.read_csv(out, dtype={"scores": str, "flags": str}).fillna({"flags": ""})
    pd.testing.assert_frame_equal(found, expected)
