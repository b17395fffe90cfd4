from dataclasses import replace

import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from internal_kd.errors import UserError
from internal_kd.reporting.figures import convergence
from internal_kd.reporting.figures.attention_kl import Turn, groups, name_of, turns_of
from internal_kd.reporting.figures.convergence import COLORS, COLUMNS, build, write_convergence
from internal_kd.specs.figures import ConvergenceSettings
from internal_kd.specs.reports import Row
from internal_kd.study.glue import GLUE
from tests.reporting.answers import answers
from tests.reporting.fake_runs import write_fake_run
from tests.reporting.figures.attention_patterns import drawn, words
from tests.reporting.product import write_product

SETTINGS = ConvergenceSettings(
    task_specs=GLUE,
    study="small",
    note="Not the paper's numbers.",
    task="cola",
    teacher=Row("exp1.0", "Teacher"),
    experiments=[
        Row("exp3.3", "Student [PID]", "teacher"),
        Row("exp3.4", "Student [SID]", "teacher"),
        Row("exp3.5", "Student [SID] + soft", "random"),
    ],
)
LIMITS = (1, 2, 4, 5)  # four layers over six epochs, as the embedded study has them
PAPER_LIMITS = (7, 13, 20, 27, 33, 40)  # six over fifty


def limits(ends):
    return [
        {"layer": i, "epoch": e, "reason": "limit", "cosine": 0.1} for i, e in enumerate(ends, 1)
    ]


@pytest.fixture
def add(tmp_path):
    """Write a run on cola whose score after epoch e is `start` + e / 100."""

    def write(experiment, seed=0, start=0.1, schedule=None, epochs=6, final=True, **more):
        schedule = limits(LIMITS) if schedule is None else schedule
        last = schedule[-1]["epoch"] if schedule else 0
        count = range(1, epochs + 1)
        stages = ["output" if final and epoch > last else "layers 1" for epoch in count]
        scores = {"validation_mcc": [round(start + epoch / 100, 4) for epoch in count]}
        history = pd.DataFrame({"epoch": count, "stage": stages} | scores)
        frames = {"validation": answers(9), "history": history, "schedule": schedule}
        return write_fake_run(tmp_path, "cola", experiment, seed=seed, **(frames | more))

    return write


@pytest.fixture
def runs(add):
    names = [row.name for row in SETTINGS.experiments]
    students = [add(n, seed, 0.1 + seed / 10) for n in names for seed in (0, 1)]
    return [add("exp1.0", schedule=[]), *students]


@pytest.fixture
def draw(monkeypatch):
    def draw_runs(runs, settings=SETTINGS):
        folders = [run.folder for run in runs]
        return drawn(monkeypatch, convergence, write_convergence, folders, settings, "fig10.csv")

    return draw_runs


def lines_of(axes, color, style="-"):
    return [x for x in axes.lines if x.get_color() == color and x.get_linestyle() == style]


def test_rows(runs) -> None:
    frame = build(runs, SETTINGS)
    assert list(frame.columns) == COLUMNS
    assert len(frame) == 1 + 3 * 2 * 6
    teacher = frame.iloc[0]
    assert (teacher["experiment"], teacher["value"]) == ("exp1.0", pytest.approx(0.816497))
    assert pd.isna(teacher["epoch"])
    rows = frame[(frame["experiment"] == "exp3.4") & (frame["seed"] == 1)]
    assert rows["value"].tolist() == pytest.approx([0.21, 0.22, 0.23, 0.24, 0.25, 0.26])
    assert set(rows["metric"]) == {"mcc"}
    finished = rows.dropna(subset="finished_layer")
    columns = ["epoch", "finished_layer", "reason"]
    events = list(finished[columns].itertuples(index=False, name=None))
    assert events == [(e, i, "limit") for i, e in enumerate(LIMITS, 1)]
    assert rows["stage"].tolist() == ["layers 1"] * 5 + ["output"]


def test_one_line_per_experiment(runs, draw) -> None:
    found = draw(runs)
    _, axes = found.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Epoch", "MCC (× 100)")
    for color in COLORS[:3]:
        mean, *seeds = lines_of(axes, color)
        assert mean.get_xdata() == pytest.approx([1, 2, 3, 4, 5, 6])
        assert mean.get_ydata() == pytest.approx([16, 17, 18, 19, 20, 21])
        assert [line.get_ydata()[0] for line in seeds] == pytest.approx([11, 21])
        assert {line.get_linewidth() for line in seeds} == {0.6}
        (marks,) = lines_of(axes, color, "None")
        assert marks.get_xdata().tolist() == list(LIMITS)
        assert marks.get_marker() == "o"
    (reference,) = [x for x in axes.lines if x.get_linestyle() == "--"]
    assert reference.get_ydata() == pytest.approx([81.6497] * 2)
    assert len(axes.collections) == 0


def test_three_seeds_have_a_band_and_no_lines_of_their_own(runs, add, draw) -> None:
    more = [add(row.name, 2, 0.3) for row in SETTINGS.experiments]
    found = draw([*runs, *more])
    _, axes = found.axes
    assert len(axes.collections) == 3
    for color in COLORS[:3]:
        (mean,) = lines_of(axes, color)
        assert mean.get_ydata()[0] == pytest.approx(21)
    assert "Bands: 95% interval of the mean over 3 seeds." in found.remarks
    assert "One teacher: differences from it are hints." in found.remarks


def test_teachers_of_several_seeds_are_their_mean_and_a_band_from_three_on(add, draw) -> None:
    student = add("exp3.3")
    rights = [answers(right) for right in (7, 9, 9)]
    teachers = [
        add("exp1.0", seed, schedule=[], validation=found) for seed, found in enumerate(rights)
    ]
    scores = [run.metrics.validation["mcc"] for run in teachers]
    for count, bands in ((2, 0), (3, 1)):
        found = draw([student, *teachers[:count]])
        axes = found.axes[1]
        (reference,) = [x for x in axes.lines if x.get_linestyle() == "--"]
        assert reference.get_ydata() == pytest.approx([100 * sum(scores[:count]) / count] * 2)
        assert len(axes.patches) == bands
        assert f"Teacher: mean of {count}, one for each student seed." in found.remarks
        assert found.frame["epoch"].isna().sum() == count


def test_strips_name_the_layers(runs, draw) -> None:
    found = draw(runs)
    strips = found.axes[0]
    assert strips.get_title("left") == "CoLA, development set"
    assert words(strips.get_yticklabels()) == ["Exp3.3", "Exp3.4", "Exp3.5"]
    assert words(strips.texts) == ["L1", "L2", "L3", "L4"] * 3
    hatched = [patch for patch in strips.patches if patch.get_hatch()]
    assert [(patch.get_x(), patch.get_width()) for patch in hatched] == [(5.5, 1)] * 3
    legend = words(found.figure.legends[0].get_texts())
    assert legend == ["Teacher", "finished by epoch limit", "only the output loss"]


@pytest.mark.parametrize(("ends", "epochs"), [(LIMITS, 6), (PAPER_LIMITS, 50), ((1, 2, 3, 9), 50)])
def test_annotations_do_not_overlap(add, draw, ends, epochs) -> None:
    runs = [add(row.name, schedule=limits(ends), epochs=epochs) for row in SETTINGS.experiments]
    found = draw(runs)
    FigureCanvasAgg(found.figure).draw()
    strips = found.axes[0]
    boxes = [text.get_window_extent() for text in strips.texts]
    boxes += [line.get_window_extent() for line in strips.lines]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_mark_shows_why_a_layer_was_finished(add, draw) -> None:
    events = limits((2, 4))
    events[0]["reason"] = "threshold"
    found = draw([add("exp3.4", schedule=events)])
    marks = {
        x.get_marker(): x.get_xdata().tolist() for x in lines_of(found.axes[1], COLORS[0], "None")
    }
    assert marks == {"^": [2], "o": [4]}
    legend = words(found.figure.legends[0].get_texts())
    assert legend[:2] == ["finished by cosine loss", "finished by epoch limit"]
    assert [x.get_marker() for x in found.axes[0].lines] == ["^", "o"]


def test_differing_seeds_are_reported_and_the_first_is_marked(runs, add, draw) -> None:
    other = add("exp3.4", seed=2, schedule=limits((2, 3, 4, 5)))
    found = draw([other, *runs])
    assert "at different epochs: Exp3.4 (seed 0 marked)." in found.remarks
    (marks,) = lines_of(found.axes[1], COLORS[1], "None")
    assert marks.get_xdata().tolist() == list(LIMITS)


def test_remarks(runs, draw) -> None:
    remarks = draw(runs).remarks
    assert remarks.startswith("Study: small. Exp3.3: Student [PID]; Exp3.4: Student [SID];")
    assert "Two seeds: differences are hints. Thin lines: single seeds." in remarks
    heads = "Heads at the start: new in Exp3.5; the teacher's in Exp3.3, Exp3.4."
    assert f"{heads} Differences across heads are hints." in remarks
    assert "Marks: a layer is finished." in remarks
    assert remarks.endswith(SETTINGS.note)
    assert "No runs" not in remarks
    assert "different epochs" not in remarks


def test_experiments_without_turns(add, draw) -> None:
    runs = [add("exp3.3", schedule=[], final=False), add("exp3.4", schedule=[])]
    found = draw(runs)
    assert words(found.axes[0].texts) == ["all layers at once"]
    assert [patch.get_width() for patch in found.axes[0].patches] == [6]
    assert "No layers are finished one after the other" in found.remarks


def test_no_epochs_remain_after_the_last_layer(add, draw) -> None:
    found = draw([add("exp3.3", schedule=limits((2, 6)))])
    assert [patch.get_hatch() for patch in found.axes[0].patches] == [None, None]
    assert "only the output loss" not in words(found.figure.legends[0].get_texts())


def test_flagged_runs_are_reported(runs, add, draw) -> None:
    flagged = add("exp3.3", seed=7, flags=["one_class"])
    remarks = draw([*runs, flagged]).remarks
    assert "Exp3.3 on CoLA: at least one run always predicts the same class." in remarks


def test_missing_runs_are_reported(runs, draw) -> None:
    found = draw([run for run in runs if run.experiment == "exp3.5"])
    assert "No runs of: Exp3.3, Exp3.4, the teacher (Exp1.0)." in found.remarks
    assert words(found.axes[0].get_yticklabels()) == ["Exp3.5"]
    assert "Teacher" not in words(found.figure.legends[0].get_texts())


@pytest.mark.parametrize("kept", [0, 1])
def test_no_runs_of_experiments_at_all(runs, draw, kept) -> None:
    found = draw(runs[:kept])
    assert words(found.axes[1].texts) == ["no runs"]
    assert len(found.frame) == kept
    assert list(found.frame.columns) == COLUMNS


def test_a_single_epoch_is_visible(add, draw) -> None:
    found = draw([add("exp3.3", schedule=[], epochs=1)])
    (line,) = lines_of(found.axes[1], COLORS[0])
    assert line.get_marker() == "."


def test_more_experiments_than_colours(add, draw) -> None:
    rows = tuple(Row(f"own{i}", str(i), "random") for i in range(9))
    found = draw([add(row.name) for row in rows], replace(SETTINGS, experiments=rows))
    assert len(found.axes[0].get_yticklabels()) == 9


def test_an_unrelated_history_file_is_rejected(add) -> None:
    run = add("exp3.3", history=pd.DataFrame({"epoch": [1], "stage": ["output"]}))
    with pytest.raises(UserError, match="no column validation_mcc"):
        build([run], SETTINGS)


def test_runs_of_two_depths_are_refused(runs, add) -> None:
    with pytest.raises(UserError, match="different layers"):
        build([*runs, add("exp3.3", layers=1)], SETTINGS)


def test_turns_by_hand() -> None:
    history = pd.DataFrame(
        {
            "epoch": [1, 2, 3, 4, 5],
            "stage": ["layers 1", "layers 1", "layers 2", "output", "output"],
            "finished_layer": [None, 1, 2, None, None],
            "reason": [None, "limit", "threshold", None, None],
        }
    ).astype({"finished_layer": "Int64"})
    expected = [Turn("1", 1, 2, "limit"), Turn("2", 3, 3, "threshold"), Turn("output", 4, 5, "")]
    assert turns_of(history) == expected


@pytest.mark.parametrize(
    ("ends", "names"),
    [
        ((7, 13, 20), ["L1", "L2", "L3"]),
        ((1, 2, 3, 9, 20), ["L1–4", "L5"]),
        ((20, 30, 31), ["L1", "L2–3"]),
        ((1, 2), ["L1–2"]),
        ((), []),
    ],
)
def test_short_turns_share_a_label(ends, names) -> None:
    starts = [1, *(end + 1 for end in ends)]
    turns = [
        Turn(str(i), a, b, "limit") for i, (a, b) in enumerate(zip(starts, ends, strict=False), 1)
    ]
    assert [name_of(group) for group in groups(turns, epochs=50)] == names


def test_stage_writes_three_files(tmp_path, runs) -> None:
    out = tmp_path / "figures/fig4.csv"
    folders = [str(run.folder) for run in runs]
    argv = ["--out", str(out), "--runs", *folders]
    write_product("figures.convergence:write_convergence", SETTINGS, *argv)
    assert {path.name for path in out.parent.iterdir()} == {"fig4.csv", "fig4.pdf", "fig4.png"}
    assert len(pd.read_csv(out)) == 1 + 3 * 2 * 6
