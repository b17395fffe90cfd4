"""Claims about objectives, starts and maps of layers, on made-up runs."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from internal_kd.evaluation.inference import (
    independent_difference,
    mean_effect,
    paired_means,
)
from internal_kd.reporting.claims.objectives import CLAIMS, build, write_objective_claims
from internal_kd.specs.grid_reports import GridClaimsSettings
from tests.reporting.grid_runs import (
    LABELS,
    TASKS,
    grid_settings,
    mapping_cells,
    objective_cells,
    runs_of,
)

SEEDS = (0, 1, 2)
CELLS = (*objective_cells(), *mapping_cells())
ACCURACY = {
    "vanilla-lower": 0.85,
    "vanilla-upper": 0.6,
    "hidden-lower": 0.85,
    "hidden-upper": 0.6,
    "attention-lower": 0.95,
    "attention-upper": 0.95,
    "none-copied": 0.75,
    "uniform-copied": 0.9,
    "reversed-copied": 0.9,
    "none-random": 0.55,
    "uniform-random": 0.6,
    "reversed-random": 0.6,
}


def claims_settings(cells=CELLS, **changes) -> GridClaimsSettings:
    found = GridClaimsSettings(**vars(grid_settings(cells)), margin=0.1)
    return replace(found, **changes)


def built(folder, accuracy=ACCURACY, seeds=SEEDS, **changes):
    runs = runs_of(folder, accuracy, seeds)
    return runs, build(runs, claims_settings(**changes)).set_index(["claim", "task"])


def right(runs, task, experiment):
    """Whether each example is answered correctly, [seeds, examples]."""
    return np.stack(
        [
            (run.predictions()["validation"].predictions == LABELS).astype(float)
            for run in runs
            if (run.task, run.experiment) == (task, experiment)
        ]
    )


def test_true_claims_hold_on_each_task_and_on_average(tmp_path):
    _, frame = built(tmp_path)
    expected = {
        (claim.name, task)
        for claims in CLAIMS.values()
        for claim in claims
        for task in (*TASKS, "mean")
        if claim.name != "start-matters-most-on-qnli"
    }
    assert set(frame.index) == expected | {("start-matters-most-on-qnli", "qnli")}
    for name in (
        "attention-transfer-is-best",
        "vanilla-starts-low",
        "hidden-starts-low",
        "attention-varies-least",
        "copying-outweighs-map",
        "matching-beats-none",
        "reversed-is-near-forward",
    ):
        assert frame.loc[(name, "mean"), "verdict"] == "holds", name
    assert frame.loc[("start-matters-most-on-qnli", "qnli"), "verdict"] == "inconclusive"


def test_a_difference_is_that_of_the_test_over_examples_and_seeds(tmp_path):
    runs, frame = built(tmp_path)
    effects = {}
    for task in TASKS:
        pair = (right(runs, task, f"vanilla-{start}") for start in ("lower", "upper"))
        effects[task] = paired_means(*pair)
        row = frame.loc["vanilla-starts-low", task]
        assert row["value"] == pytest.approx(effects[task].value, abs=1e-6)
        assert row["p"] == pytest.approx(effects[task].p_above())
        assert (row["low"], row["high"]) == pytest.approx(effects[task].interval(0.95), abs=1e-6)
    mean = mean_effect([*effects.values()])
    assert frame.loc[("vanilla-starts-low", "mean"), "p"] == pytest.approx(mean.p_above())


def test_the_gap_on_qnli_is_compared_with_that_on_each_other_task(tmp_path):
    runs, frame = built(tmp_path)
    gaps = {
        task: paired_means(
            *(
                (right(runs, task, f"vanilla-{start}") + right(runs, task, f"hidden-{start}")) / 2
                for start in ("lower", "upper")
            )
        )
        for task in TASKS
    }
    row = frame.loc["start-matters-most-on-qnli", "qnli"]
    expected = independent_difference(gaps["qnli"], gaps["rte"])
    assert row["value"] == pytest.approx(expected.value, abs=1e-6)
    assert row["p"] == pytest.approx(expected.p_above())


def test_ranges_are_compared_by_their_gaps(tmp_path):
    runs, frame = built(tmp_path)
    row = frame.loc["attention-varies-least", "rte"]
    p = {}
    leads = {}
    for other in ("vanilla", "hidden"):
        gaps = {
            (name, pair): [right(runs, "rte", f"{name}-{start}") for start in pair]
            for name in (other, "attention")
            for pair in permutations(("lower", "upper"))
        }
        by_gap = [
            max(
                paired_means(
                    gaps[other, pair][0] - gaps[other, pair][1],
                    gaps["attention", own][0] - gaps["attention", own][1],
                ).p_above(level=0.0)
                for own in permutations(("lower", "upper"))
            )
            for pair in permutations(("lower", "upper"))
        ]
        p[other] = min(1.0, 2 * min(by_gap))
        ranges = [
            abs(gaps[name, ("lower", "upper")][0].mean() - gaps[name, ("lower", "upper")][1].mean())
            for name in (other, "attention")
        ]
        leads[other] = ranges[0] - ranges[1]
    assert row["p"] == pytest.approx(max(p.values()))
    assert row["value"] == pytest.approx(min(leads.values()), abs=1e-6)
    assert np.isnan(row["low"])


def test_false_claims_do_not_hold(tmp_path):
    turned = ACCURACY | {
        "vanilla-lower": 0.6,
        "vanilla-upper": 0.85,
        "hidden-lower": 0.9,
        "hidden-upper": 0.9,
        "attention-lower": 0.5,
        "attention-upper": 0.8,
        "reversed-copied": 0.6,
    }
    _, frame = built(tmp_path, turned)
    for name in (
        "attention-transfer-is-best",
        "vanilla-starts-low",
        "attention-varies-least",
        "reversed-is-near-forward",
    ):
        assert frame.loc[(name, "mean"), "verdict"] == "does not hold", name


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_fewer_seeds_give_hints(tmp_path, seeds):
    _, frame = built(tmp_path, seeds=seeds)
    assert set(frame["verdict"]) == {"hint"}
    assert frame["p"].isna().all()


def test_claims_are_made_of_what_the_grids_have(tmp_path):
    maps = mapping_cells()
    names = {cell.experiment for cell in maps}
    accuracy = {name: value for name, value in ACCURACY.items() if name in names}
    _, frame = built(tmp_path, accuracy, cells=maps)
    of_maps = {claim.name for claim in CLAIMS["Maps of layers"]}
    assert {name for name, _ in frame.index} == of_maps


def test_starts_of_another_model_are_not_compared(tmp_path):
    cells = tuple(
        replace(cell, init_from="base") if cell.start == "upper" else cell
        for cell in objective_cells()
    )
    accuracy = {cell.experiment: ACCURACY[cell.experiment] for cell in cells}
    _, frame = built(tmp_path, accuracy, cells=cells)
    assert {name for name, _ in frame.index} == {
        "attention-transfer-is-best",
        "attention-varies-least",
    }


def test_the_page_has_a_table_for_each_claim_and_the_note(tmp_path):
    runs = runs_of(tmp_path / "runs", ACCURACY, SEEDS)
    out = tmp_path / "claims.csv"
    write_objective_claims([run.folder for run in runs], claims_settings(), out)
    text = out.with_suffix(".md").read_text()
    assert "## Primary claim" not in text
    assert "A small study." in text
    for claims in CLAIMS.values():
        for claim in claims:
            assert claim.statement in text
