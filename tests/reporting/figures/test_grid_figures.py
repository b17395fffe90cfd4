"""Figures of grids: the heat map of objectives, and scores by start."""

from dataclasses import replace

import pandas as pd
import pytest

from internal_kd.reporting import objectives
from internal_kd.reporting.figures import objective_scores, start_slopes
from internal_kd.reporting.figures.style import TEACHER
from tests.reporting.figures.attention_patterns import drawn, words
from tests.reporting.grid_runs import TASKS, grid_settings, objective_cells, runs_of
from tests.reporting.product import write_product

SETTINGS = grid_settings(objective_cells())
ACCURACY = {
    "vanilla-lower": 0.8,
    "vanilla-upper": 0.6,
    "hidden-lower": 0.8,
    "hidden-upper": 0.6,
    "attention-lower": 0.95,
    "attention-upper": 0.9,
}
SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return runs_of(tmp_path_factory.mktemp("runs"), ACCURACY, SEEDS)


@pytest.fixture
def heat_map(monkeypatch):
    def draw(runs, settings=SETTINGS):
        folders = [run.folder for run in runs]
        module = objective_scores
        return drawn(monkeypatch, module, module.write_objective_scores, folders, settings, "x")

    return draw


@pytest.fixture
def slopes(monkeypatch):
    def draw(runs, settings=SETTINGS):
        folders = [run.folder for run in runs]
        module = start_slopes
        return drawn(monkeypatch, module, module.write_start_slopes, folders, settings, "x")

    return draw


def maps(found):
    """The axes that have a map, without the bar of colours."""
    return [axes for axes in found.figure.axes if axes.get_title()]


def test_a_map_shows_scores_and_differences_by_objective_and_start(runs, heat_map):
    found = heat_map(runs)
    assert [axes.get_title() for axes in maps(found)] == ["RTE", "QNLI", "Mean over tasks"]
    first = maps(found)[0]
    assert words(first.get_yticklabels()) == ["the vanilla", "the hidden", "the attention"]
    assert words(first.get_xticklabels()) == ["the lower", "the upper", "mean"]
    cells = found.frame.set_index(["task", "objective", "start"])
    row = cells.loc["rte", "attention", "upper"]
    shown = words(first.texts)
    assert len(shown) == 9
    assert shown[7] == f"{100 * row['score']:.1f}\n{100 * row['effect']:+.1f}"
    assert "\n" not in shown[0], "vanilla KD is not compared with itself"


def test_the_map_agrees_with_the_table_of_objectives(runs, heat_map):
    found = heat_map(runs).frame
    table = objectives.build(runs, SETTINGS)
    over_starts = found[found["start"] == ""].reset_index(drop=True)
    pd.testing.assert_frame_equal(over_starts, table)


def test_clear_differences_are_bold(runs, heat_map):
    found = heat_map(runs)
    texts = maps(found)[0].texts
    bold = {text.get_text() for text in texts if text.get_fontweight() == "bold"}
    clear = found.frame.query("task == 'rte' and verdict in ('better', 'worse')")
    assert len(clear)
    assert bold == {
        f"{100 * score:.1f}\n{100 * effect:+.1f}"
        for score, effect in zip(clear["score"], clear["effect"], strict=True)
    }


def test_colours_are_of_one_scale_around_no_difference(runs, heat_map):
    found = heat_map(runs)
    limits = {axes.collections[0].get_clim() for axes in maps(found)}
    (scale,) = limits
    assert scale[1] == -scale[0] == pytest.approx(100 * found.frame["effect"].abs().max())


def test_the_mean_over_tasks_has_differences_alone(runs, heat_map):
    texts = words(maps(heat_map(runs))[-1].texts)
    assert len(texts) == 6
    assert all(text[0] in "+−" and "\n" not in text for text in texts)


def test_objectives_without_one_to_compare_with_have_scores_alone(runs, heat_map):
    cells = tuple(cell for cell in SETTINGS.cells if cell.losses != "none")
    found = heat_map(runs, grid_settings(cells))
    assert "no differences" in found.remarks
    assert [axes.get_title() for axes in found.figure.axes] == ["RTE", "QNLI"]
    assert not any("\n" in text for axes in maps(found) for text in words(axes.texts))


def test_objectives_from_one_start_have_one_column(runs, heat_map):
    cells = tuple(replace(cell, start="") for cell in SETTINGS.cells if cell.start == "lower")
    found = heat_map(runs, grid_settings(cells))
    assert words(maps(found)[0].get_xticklabels()) == ["score"]
    assert len(found.frame) == 2 * 3 + 2


def test_single_seeds_are_hints_and_nothing_is_bold(tmp_path, heat_map, slopes):
    runs = runs_of(tmp_path, ACCURACY, [0])
    found = heat_map(runs)
    assert "One seed: differences are hints." in found.remarks
    texts = [text for axes in maps(found) for text in axes.texts]
    assert {text.get_fontweight() for text in texts} == {"normal"}
    assert "One seed: differences are hints." in slopes(runs).remarks


def test_settings_have_panels_of_their_own(runs, heat_map, slopes):
    cells = tuple(
        replace(cell, setting=setting) for setting in ("a", "b") for cell in SETTINGS.cells
    )
    for found in (heat_map(runs, grid_settings(cells)), slopes(runs, grid_settings(cells))):
        titles = [axes.get_title().replace("\n", ", ") for axes in maps(found)]
        assert {"RTE, the a", "RTE, the b", "QNLI, the a", "QNLI, the b"} <= set(titles)


def test_a_line_goes_through_the_means_of_each_start(runs, slopes):
    found = slopes(runs)
    assert [axes.get_title() for axes in maps(found)] == ["RTE", "QNLI"]
    axes = maps(found)[0]
    assert words(axes.get_xticklabels()) == ["the lower", "the upper"]
    rows = found.frame.query("task == 'rte' and objective == 'hidden'")
    (line,) = [line for line in axes.lines if line.get_label() == "the hidden"]
    assert line.get_ydata() == pytest.approx(100 * rows["mean"].to_numpy())


def test_a_dot_stands_for_each_seed(runs, slopes):
    found = slopes(runs)
    row = found.frame.query("task == 'rte'").iloc[0]
    scores = [float(score) for score in row["scores"].split()]
    assert row["n"] == len(scores) == len(SEEDS)
    assert row["mean"] == pytest.approx(sum(scores) / 3, abs=1e-6)
    dots = [line.get_ydata() for line in maps(found)[0].lines if line.get_marker() == "."]
    assert len(dots) == 6
    assert dots[0] == pytest.approx([100 * score for score in scores])


def test_lines_of_objectives_can_be_told_apart():
    names = [f"objective{number}" for number in range(10)]
    cells = tuple(replace(SETTINGS.cells[0], objective=name, losses="other") for name in names)
    styles = start_slopes.styles_of(grid_settings((*SETTINGS.cells, *cells)))
    assert styles["vanilla"].color == TEACHER
    assert len(set(styles.values())) == len(styles)


def test_slopes_need_no_predictions(tmp_path):
    runs = runs_of(tmp_path, ACCURACY, SEEDS)
    for path in tmp_path.rglob("*.parquet"):
        path.unlink()
    assert len(start_slopes.build(runs, SETTINGS)) == len(SETTINGS.cells) * len(TASKS)


@pytest.mark.parametrize("name", ["objective_scores", "start_slopes"])
def test_a_job_writes_figure_and_data(tmp_path, runs, name):
    out = tmp_path / "figures/own.csv"
    argv = ["--out", str(out), "--runs", *(str(run.folder) for run in runs)]
    write_product(f"figures.{name}:write_{name}", SETTINGS, *argv)
    assert {path.name for path in out.parent.iterdir()} == {"own.csv", "own.pdf", "own.png"}
    assert {"task", "objective", "start"} < set(pd.read_csv(out).columns)
