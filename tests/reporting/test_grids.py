"""Tables of grids: objectives, starts and maps of layers."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest

from internal_kd.evaluation.inference import mean_effect, paired_means
from internal_kd.reporting import mappings, objectives, starts
from internal_kd.reporting.grids import GridRow
from internal_kd.reporting.records import columns_of
from tests.reporting.grid_runs import (
    LABELS,
    TASKS,
    grid_settings,
    mapping_cells,
    objective_cells,
    runs_of,
)

CELLS = objective_cells()
SEEDS = (0, 1, 2)
ACCURACY = {
    "vanilla-lower": 0.8,
    "vanilla-upper": 0.6,
    "hidden-lower": 0.8,
    "hidden-upper": 0.6,
    "attention-lower": 0.9,
    "attention-upper": 0.9,
}
EQUAL = dict.fromkeys(ACCURACY, 0.75)


def right(runs, task, experiment):
    """Whether each example is answered correctly, [seeds, examples]."""
    return np.stack(
        [
            (run.predictions()["validation"].predictions == LABELS).astype(float)
            for run in runs
            if (run.task, run.experiment) == (task, experiment)
        ]
    )


def test_an_objective_is_compared_over_its_starts_with_the_one_without_internal_losses(tmp_path):
    runs = runs_of(tmp_path, ACCURACY, SEEDS)
    frame = objectives.build(runs, grid_settings(CELLS)).set_index(["objective", "task"])
    assert [*frame.reset_index()[columns_of(GridRow)].columns] == columns_of(GridRow)
    for task in TASKS:
        scores = {
            name: (right(runs, task, f"{name}-lower") + right(runs, task, f"{name}-upper")) / 2
            for name in ("vanilla", "hidden", "attention")
        }
        for name in ("hidden", "attention"):
            row, expected = frame.loc[name, task], paired_means(scores[name], scores["vanilla"])
            assert row["score"] == pytest.approx(scores[name].mean(), abs=1e-6)
            assert row["sd"] == pytest.approx(scores[name].mean(axis=1).std(ddof=1), abs=1e-6)
            assert row["effect"] == pytest.approx(expected.value, abs=1e-6)
            assert row["p"] == pytest.approx(expected.p())
            assert (row["seeds"], row["n"], row["experiments"]) == (3, 400, 2)
        assert pd.isna(frame.loc["vanilla", task]["effect"])
    means = [
        mean_effect(
            [
                paired_means(
                    right(runs, task, f"attention-{start}"), right(runs, task, f"vanilla-{start}")
                )
                for task in TASKS
            ]
        ).value
        for start in ("lower", "upper")
    ]
    assert frame.loc["attention", "mean"]["effect"] == pytest.approx(np.mean(means), abs=1e-6)


def test_verdicts_are_adjusted_over_all_objectives_and_tasks(tmp_path):
    frame = objectives.build(runs_of(tmp_path, ACCURACY, SEEDS), grid_settings(CELLS))
    known = frame[frame["effect"].notna() & (frame["task"] != "mean")]
    assert len(known) == 4
    assert known["p_holm"].min() == pytest.approx(4 * known["p_tail"].min())
    verdicts = known.set_index(["objective", "task"])["verdict"]
    assert set(verdicts["attention"]) == {"better"}
    assert set(verdicts["hidden"]) == {"inconclusive"}


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_fewer_seeds_give_hints(tmp_path, seeds):
    runs = runs_of(tmp_path / "runs", ACCURACY, seeds)
    frame = objectives.build(runs, grid_settings(CELLS))
    assert set(frame["verdict"]) == {"", "hint"}
    assert frame["sd"].isna().all()
    objectives.write_objectives(
        [run.folder for run in runs], grid_settings(CELLS), tmp_path / "o.csv"
    )
    text = (tmp_path / "o.md").read_text()
    assert "every difference is a hint" in text
    assert not [line for line in text.splitlines() if line.startswith("|") and "**" in line]


def test_settings_are_compared_each_with_its_own(tmp_path):
    agnostic = objective_cells(("rte",), "agnostic")
    cells = (*(replace(cell, setting="specific") for cell in CELLS), *agnostic)
    runs = runs_of(tmp_path / "runs", ACCURACY, SEEDS)
    runs += runs_of(
        tmp_path / "runs",
        {f"{name}agnostic": accuracy - 0.1 for name, accuracy in ACCURACY.items()},
        SEEDS,
        ("rte",),
    )
    settings = grid_settings(cells)
    frame = objectives.build(runs, settings)
    shown = frame.groupby("setting")["task"].agg(set)
    assert shown["agnostic"] == {"rte"}
    baselines = frame[frame["effect"].notna()].groupby("setting")["baseline"].agg(set)
    assert baselines["agnostic"] == {"vanilla-loweragnostic"}
    objectives.write_objectives([run.folder for run in runs], settings, tmp_path / "o.csv")
    assert "| the agnostic | the hidden |" in (tmp_path / "o.md").read_text()


def test_starts_are_compared_with_the_same_start(tmp_path):
    runs = runs_of(tmp_path, ACCURACY, SEEDS)
    frame, _ = starts.build(runs, grid_settings(CELLS))
    rows = frame.set_index(["objective", "start", "task"])
    for start, task in product(("lower", "upper"), TASKS):
        row = rows.loc["attention", start, task]
        pair = (right(runs, task, f"{name}-{start}") for name in ("attention", "vanilla"))
        assert row["effect"] == pytest.approx(paired_means(*pair).value, abs=1e-6)
        assert row["baseline"] == f"vanilla-{start}"


def test_spreads_over_starts_are_shown_beside_those_by_chance(tmp_path):
    runs = runs_of(tmp_path / "runs", ACCURACY, SEEDS)
    _, frame = starts.build(runs, grid_settings(CELLS))
    rows = frame.set_index(["objective", "task"])
    row = rows.loc["hidden", "rte"]
    pair = [right(runs, "rte", f"hidden-{start}") for start in ("lower", "upper")]
    expected = paired_means(*pair)
    assert row["range"] == pytest.approx(expected.value, abs=1e-6)
    assert (row["highest"], row["lowest"]) == ("lower", "upper")
    # The expected size of a normal difference is sqrt(2 / pi) times its standard error.
    assert row["noise"] == pytest.approx(expected.error * np.sqrt(2 / np.pi), abs=1e-6)
    assert row["sd"] == pytest.approx(expected.value / np.sqrt(2), abs=1e-6)
    assert row["p"] == pytest.approx(expected.p())
    assert rows["verdict"].to_dict()["vanilla", "qnli"] == "varies"
    assert set(rows.loc["attention"]["verdict"]) == {"inconclusive"}
    starts.write_starts([r.folder for r in runs], grid_settings(CELLS), tmp_path / "s.csv")
    assert (tmp_path / "s_spread.csv").is_file()
    assert "**Spread over starts" in (tmp_path / "s.md").read_text()


@pytest.mark.parametrize(("count", "expected"), [(2, 1.12838), (3, 1.69257), (4, 2.05875)])
def test_the_expected_range_is_that_of_the_tables_of_quality_control(count, expected):
    assert starts.expected_range(count) == pytest.approx(expected, abs=1e-5)


def test_equal_starts_spread_as_much_as_by_chance(tmp_path):
    ranges, noises, verdicts = [], [], []
    for number in range(12):
        accuracy = {f"{name}{number}": value for name, value in EQUAL.items()}
        cells = [replace(cell, experiment=f"{cell.experiment}{number}") for cell in CELLS]
        runs = runs_of(tmp_path / str(number), accuracy, SEEDS, ("rte",))
        _, frame = starts.build(runs, grid_settings(tuple(cells), ("rte",)))
        ranges += [*frame["range"]]
        noises += [*frame["noise"]]
        verdicts += [*frame["verdict"]]
    assert np.mean(ranges) == pytest.approx(np.mean(noises), rel=0.35)
    assert verdicts.count("varies") <= 2


def test_maps_are_compared_with_no_losses_between_layers(tmp_path):
    accuracy = {
        f"{mapping}-{start}": base + gain
        for start, base in (("copied", 0.8), ("random", 0.6))
        for mapping, gain in (("none", 0.0), ("uniform", 0.1), ("reversed", 0.1))
    }
    runs = runs_of(tmp_path / "runs", accuracy, SEEDS)
    settings = grid_settings(mapping_cells())
    frame = mappings.build(runs, settings).set_index(["start", "mapping", "task"])
    for start in ("copied", "random"):
        row = frame.loc[start, "reversed", "rte"]
        pair = (right(runs, "rte", f"{name}-{start}") for name in ("reversed", "none"))
        assert row["effect"] == pytest.approx(paired_means(*pair).value, abs=1e-6)
        assert row["baseline"] == f"none-{start}"
    assert frame.index.get_level_values("start").unique().tolist() == ["copied", "random"]
    mappings.write_mappings([run.folder for run in runs], settings, tmp_path / "m.csv")
    assert "| the copied | the none |" in (tmp_path / "m.md").read_text()
    assert (tmp_path / "m.tex").is_file()
