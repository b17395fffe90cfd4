import math
from dataclasses import replace

import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from internal_kd.errors import UserError
from internal_kd.reporting.figures import parameters
from internal_kd.reporting.figures.parameters import COLUMNS, build, write_parameters
from internal_kd.reporting.figures.style import COLORS
from internal_kd.specs.figures import ParametersSettings
from tests.reporting.answers import answers
from tests.reporting.fake_runs import write_fake_run
from tests.reporting.figures.attention_patterns import SETTINGS, drawn, words
from tests.reporting.product import write_product

RTE = ParametersSettings(**vars(SETTINGS), task="rte")


@pytest.fixture
def add(tmp_path):
    """Write a run on rte with this number of right development answers out of ten."""

    def write(experiment, right, layers=2, seed=0, task="rte", **more):
        frames = {"validation": answers(right)}
        return write_fake_run(
            tmp_path, task, experiment, layers=layers, seed=seed, **frames, **more
        )

    return write


@pytest.fixture
def runs(add):
    """A teacher of four layers, and students of one and two with two seeds."""
    students = [("exp2.0", 1, (5, 6)), ("exp2.0", 2, (6, 8)), ("exp3.2", 1, (7, 7))]
    students += [("exp3.2", 2, (8, 9))]
    return [
        add("exp1.0", 9, layers=4),
        *(
            add(name, right, layers, seed)
            for name, layers, rights in students
            for seed, right in enumerate(rights)
        ),
    ]


def draw(monkeypatch, runs, settings=RTE):
    folders = [run.folder for run in runs]
    return drawn(monkeypatch, parameters, write_parameters, folders, settings, "fig2.csv")


def lines_of(axes, color, style="-"):
    return [x for x in axes.lines if x.get_color() == color and x.get_linestyle() == style]


def marks_of(axes, color):
    """Scores of the markers, ascending."""
    return sorted(y for line in lines_of(axes, color, "None") for y in line.get_ydata())


def test_rows(runs) -> None:
    frame = build(runs, RTE)
    assert list(frame.columns) == COLUMNS
    places = frame[["role", "layers"]].itertuples(index=False, name=None)
    expected = [("teacher", 4), ("standard", 1), ("standard", 2), ("internal", 1), ("internal", 2)]
    assert list(places) == expected
    assert frame.loc[2].to_dict() == {
        "role": "standard",
        "experiment": "exp2.0",
        "layers": 2,
        "parameters": 290,
        "total_parameters": 1200,
        "embedding_parameters": 900,
        "layer_parameters": 200,
        "pooler_parameters": 90,
        "classifier_parameters": 10,
        "metric": "accuracy",
        "mean": 0.7,
        "std": pytest.approx(math.nan, nan_ok=True),
        "low": pytest.approx(math.nan, nan_ok=True),
        "high": pytest.approx(math.nan, nan_ok=True),
        "n": 2,
        "scores": "0.6 0.8",
        "flags": "",
    }


def test_other_tasks_experiments_and_data_fractions_are_excluded(runs, add) -> None:
    more = [
        add("exp2.0", 1, task="mrpc"),
        add("exp3.3", 1),
        add("exp3.2", 1, percent=50),
        add("exp1.0", 1, layers=4, percent=50),
    ]
    pd.testing.assert_frame_equal(build([*more, *runs], RTE), build(runs, RTE))


def test_metric_is_the_tasks_own(add) -> None:
    frame = build([add("exp1.0", 8, task="cola")], replace(RTE, task="cola"))
    assert frame["metric"].tolist() == ["mcc"]


def test_duplicate_run_is_rejected(runs) -> None:
    with pytest.raises(UserError, match="a seed occurs twice"):
        build([*runs, runs[-1]], RTE)


def test_runs_of_one_depth_have_one_size(runs, add) -> None:
    sizes = {"total": 6, "embeddings": 1, "layers": 3, "pooler": 1, "classifier": 1}
    with pytest.raises(UserError, match="different numbers of parameters"):
        build([*runs, add("exp3.2", 5, seed=2, parameters=sizes)], RTE)


def test_lines_and_points(monkeypatch, runs) -> None:
    (axes,) = draw(monkeypatch, runs).axes
    assert axes.get_xlabel() == "Parameters of layers and pooler (k)"
    assert axes.get_ylabel() == "Accuracy (%)"
    assert axes.get_title("left") == "RTE, development set"
    (standard,) = lines_of(axes, COLORS["standard"])
    assert standard.get_xdata().tolist() == [0.19, 0.29]
    assert standard.get_ydata() == pytest.approx([55, 70])
    (reference,) = lines_of(axes, COLORS["teacher"], "--")
    assert reference.get_ydata() == pytest.approx([90, 90])
    assert len(axes.collections) == 0
    assert marks_of(axes, COLORS["standard"]) == pytest.approx([50, 60, 60, 80])


def test_millions_for_models_of_that_size(monkeypatch, add) -> None:
    """Layers and pooler of BERT-base have 85.6M parameters, as the paper writes."""
    sizes = {"layers": 85_054_464, "pooler": 590_592, "classifier": 1538}
    sizes |= {"embeddings": 23_837_184, "total": 109_483_778}
    (axes,) = draw(monkeypatch, [add("exp1.0", 9, parameters=sizes)]).axes
    assert axes.get_xlabel() == "Parameters of layers and pooler (M)"
    assert {round(x, 1) for line in axes.lines for x in line.get_xdata() if x > 1} == {85.6}


def test_points_are_labelled_with_layers_the_lower_student_below(monkeypatch, runs, add) -> None:
    worse = [run for run in runs if run.layers != 1]
    worse += [add("exp2.0", 9, 1, seed=5), add("exp3.2", 4, 1, seed=5)]
    (axes,) = draw(monkeypatch, worse).axes
    sides = {
        (text.get_text(), text.get_color()): text.get_verticalalignment() for text in axes.texts
    }
    assert sides == {
        ("4", COLORS["teacher"]): "bottom",
        ("1", COLORS["standard"]): "bottom",
        ("2", COLORS["standard"]): "top",
        ("1", COLORS["internal"]): "top",
        ("2", COLORS["internal"]): "bottom",
    }


def inside(found):
    """The axes, once all labels stand inside and apart; as high as they are above the remarks."""
    found.figure.set_figheight(parameters.HEIGHT)
    FigureCanvasAgg(found.figure).draw()
    (axes,) = found.axes
    frame, boxes = axes.get_window_extent(), [text.get_window_extent() for text in axes.texts]
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 for box in boxes)
    assert all(frame.y0 <= box.y0 and box.y1 <= frame.y1 for box in boxes)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    marks = [
        axes.transData.transform(point)
        for line in axes.lines
        if line.get_linestyle() == "None"
        for point in line.get_xydata()
    ]
    assert not any(box.contains(*mark) for box in boxes for mark in marks)
    return axes


def test_labels_stay_inside_the_axes(monkeypatch, runs) -> None:
    assert len(inside(draw(monkeypatch, runs)).texts) == 5


def test_labels_of_the_lowest_points_stay_inside_the_axes(monkeypatch, add) -> None:
    students = [add("exp2.0", 5, 1), add("exp3.2", 2, 1), add("exp3.2", 2, 2), add("exp2.0", 9, 2)]
    axes = inside(draw(monkeypatch, [add("exp1.0", 9, layers=4), *students]))
    assert len(axes.texts) == 5


def test_labels_are_placed_outside_the_range_of_both_students(monkeypatch, add) -> None:
    """Both seeds of the better student lie between those of the other one."""
    rights = {"exp2.0": (9, 1), "exp3.2": (8, 3)}
    students = [add(name, n, 1, seed) for name, two in rights.items() for seed, n in enumerate(two)]
    axes = inside(draw(monkeypatch, [add("exp1.0", 9, layers=4), *students]))
    assert len(axes.texts) == 3


@pytest.mark.parametrize(("standard", "internal"), [(8, 9), (7, 10), (9, 10), (7, 8)])
def test_labels_of_students_as_deep_as_the_teacher_are_apart(
    monkeypatch, runs, add, standard, internal
) -> None:
    deep = [add("exp2.0", standard, 4), add("exp3.2", internal, 4)]
    axes = inside(draw(monkeypatch, [*runs, *deep]))
    assert words(axes.texts).count("4") == 3


def test_flagged_runs_have_hollow_markers(monkeypatch, runs, add) -> None:
    flagged = add("exp2.0", 5, layers=3, flags=["at_majority", "one_class", "teacher_one_class"])
    found = draw(monkeypatch, [*runs, flagged])
    hollow = [x for x in found.axes[0].lines if x.get_markerfacecolor() == "white"]
    assert [x.get_ydata().tolist() for x in hollow if len(x.get_xdata())] == [[50.0]]
    assert "Hollow markers: at least one run always predicts the same class; " in found.remarks
    assert found.frame["flags"].tolist().count("at_majority one_class") == 1


def test_remarks(monkeypatch, runs) -> None:
    remarks = draw(monkeypatch, runs).remarks
    assert remarks.startswith("Study: small. Numbers at the points: transformer layers.")
    assert "Internal KD: Exp3.2 (Student soft + kl + cos)." in remarks
    assert "Parameters: those of transformer layers and pooler, without embeddings" in remarks
    assert "Two seeds: differences are hints. Points: single seeds" in remarks
    assert remarks.endswith(RTE.note)
    assert "Hollow" not in remarks
    assert "Only one" not in remarks
    assert "No runs" not in remarks


def test_three_seeds_have_a_band_and_markers_at_their_mean(monkeypatch, runs, add) -> None:
    more = [add(name, 7, layers, 2) for name in ("exp2.0", "exp3.2") for layers in (1, 2)]
    found = draw(monkeypatch, [*runs, *more])
    (axes,) = found.axes
    assert len(axes.collections) == 2
    assert marks_of(axes, COLORS["standard"]) == pytest.approx([60, 70])
    assert "Bands: 95% interval of the mean over 3 seeds." in found.remarks
    assert "One teacher: differences from it are hints." in found.remarks
    row = found.frame.loc[1]
    assert (row["n"], row["std"], row["scores"]) == (3, 0.1, "0.5 0.6 0.7")
    assert row["high"] - row["mean"] == pytest.approx(4.3026527 * 0.1 / 3**0.5, abs=1e-6)


def test_one_seed_has_a_point_and_is_a_hint(monkeypatch, runs) -> None:
    found = draw(monkeypatch, [run for run in runs if run.seed == 0])
    assert marks_of(found.axes[0], COLORS["internal"]) == pytest.approx([70, 80])
    assert "One seed: differences are hints." in found.remarks
    assert "Points:" not in found.remarks
    assert found.frame[["std", "low", "high"]].isna().all(axis=None)


def test_teachers_of_several_seeds_are_their_mean_and_a_band_from_three_on(
    monkeypatch, runs, add
) -> None:
    for seed, bands in ((1, 0), (2, 1)):
        runs.append(add("exp1.0", 7, layers=4, seed=seed))
        found = draw(monkeypatch, runs)
        (reference,) = lines_of(found.axes[0], COLORS["teacher"], "--")
        assert reference.get_ydata()[0] == pytest.approx(100 * (0.9 + 0.7 * seed) / (1 + seed))
        assert len(found.axes[0].patches) == bands
        assert f"Teacher: mean of {1 + seed}, one for each student seed." in found.remarks


def test_students_of_different_heads_are_hints(monkeypatch, runs) -> None:
    settings = replace(RTE, internal=replace(RTE.internal, head="teacher_start"))
    heads = "Heads at the start: new in Exp2.0; the teacher's before its training in Exp3.2."
    assert heads in draw(monkeypatch, runs, settings).remarks


def test_missing_sweep_is_reported(monkeypatch, runs) -> None:
    found = draw(monkeypatch, [run for run in runs if run.layers != 1])
    assert "Only one number of student layers" in found.remarks
    assert len(found.frame) == 3


def test_missing_roles_are_reported(monkeypatch, runs) -> None:
    students = [run for run in runs if run.experiment == "exp2.0"]
    found = draw(monkeypatch, students)
    assert "No runs of: teacher, internal KD." in found.remarks
    assert words(found.figure.legends[0].get_texts()) == ["Standard KD"]
    assert lines_of(found.axes[0], COLORS["teacher"], "--") == []


def test_absence_of_all_runs_is_reported(monkeypatch, runs) -> None:
    found = draw(monkeypatch, runs, replace(RTE, task="qnli"))
    assert words(found.axes[0].texts) == ["no runs"]
    assert "No runs of: teacher, standard KD, internal KD." in found.remarks
    assert found.frame.empty


def test_stage_writes_three_files(tmp_path, runs) -> None:
    out = tmp_path / "figures/fig7.csv"
    folders = [str(run.folder) for run in runs]
    argv = ["--out", str(out), "--runs", *folders]
    write_product("figures.parameters:write_parameters", RTE, *argv)
    assert {path.name for path in out.parent.iterdir()} == {"fig7.csv", "fig7.pdf", "fig7.png"}
    found = pd.read_csv(out, dtype={"scores": str, "flags": str}).fillna({"flags": ""})
    pd.testing.assert_frame_equal(found, build(runs, RTE))
