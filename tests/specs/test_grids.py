"""A grid stands for the experiments of all combinations of its levels."""

from typing import Any

from internal_kd.specs.config import encode_config
from internal_kd.specs.grids import expand
from internal_kd.specs.jobs import encode
from internal_kd.study.config import load
from internal_kd.study.settings import student_job
from tests.study.configs import merged, read_config, read_study

KD = {"output": {"soft": 0.5, "hard": 0.5}}
OBJECTIVES = {"vanilla": {"label": "Vanilla KD"}, "hidden": {"internal": {"hidden_mse": 1.0}}}
STARTS = {"lower": {"init": "lower"}, "upper": {"label": "upper layers", "init": "upper"}}
GRID: dict[str, Any] = {"vary": {"objective": OBJECTIVES, "start": STARTS}, "common": KD}


def grid(**factors: object) -> dict[str, Any]:
    """The grid with further factors, or levels, in a study's section."""
    return {"grid": merged(GRID, {"vary": factors})}


def test_there_is_an_experiment_for_each_combination_in_the_order_of_the_levels() -> None:
    made = read_study(grids=grid()).expansion
    names = ["vanilla-lower", "vanilla-upper", "hidden-lower", "hidden-upper"]
    assert list(made.experiments) == [cell.experiment for cell in made.cells["grid"]] == names
    assert made.cells["grid"][3].levels == {"objective": "hidden", "start": "upper"}
    hidden = made.experiments["hidden-upper"]
    assert (hidden.label, hidden.init) == ("hidden, upper layers", "upper")
    assert (hidden.internal, hidden.output) == ({"hidden_mse": 1.0}, KD["output"])
    assert made.experiments["vanilla-lower"].internal == {}


def test_the_experiments_are_those_of_the_study_but_no_rows_of_table_1() -> None:
    study = read_study(grids=grid())
    assert study.experiments["hidden-upper"].name == "hidden-upper"
    shown = {row.name for row in study.table1_experiments}
    assert shown == set(study.config.experiments)
    chosen = read_study(grids=grid(), table1={"experiments": ["exp1.0", "hidden-upper"]})
    assert [row.name for row in chosen.table1_experiments] == ["exp1.0", "hidden-upper"]


def test_a_level_replaces_what_all_have() -> None:
    grids = grid(objective={"soft": {"output": {"soft": 1.0}}})
    assert read_study(grids=grids).experiments["soft-lower"].output == {"soft": 1.0}


def test_combinations_of_the_same_training_share_its_experiment() -> None:
    maps = {"uniform": {}, "last": {"layer_map": "last"}}
    made = read_study(grids=grid(mapping=maps)).expansion
    names = {cell.name: cell.experiment for cell in made.cells["grid"]}
    assert names["vanilla-upper-last"] == names["vanilla-upper-uniform"] == "vanilla-upper-uniform"
    assert names["hidden-upper-last"] == "hidden-upper-last"
    assert len(names) == 8
    assert len(made.experiments) == 6


def test_grids_share_experiments_too() -> None:
    second = {"vary": {"mapping": {"own": {}, "none": {"internal": None}}}}
    second["common"] = KD | {"internal": {"hidden_mse": 1.0}, "init": "upper"}
    made = read_study(grids=grid() | {"mappings": second}).expansion
    assert [c.experiment for c in made.cells["mappings"]] == ["hidden-upper", "vanilla-upper"]
    assert "own" not in made.experiments


def test_null_removes_a_level_or_a_grid() -> None:
    assert list(read_study(grids=grid(start={"lower": None})).expansion.experiments) == [
        "vanilla-upper",
        "hidden-upper",
    ]
    assert expand({"grid": None}) == expand(None) == read_study().expansion


def test_another_level_changes_no_other_experiment() -> None:
    before, after = read_study(grids=grid()), read_study(grids=grid(start={"a": {"init": "last"}}))
    assert len(after.expansion.experiments) == 6
    for name, experiment in before.expansion.experiments.items():
        assert after.experiments[name] == experiment
        jobs = [
            encode(student_job(study, study.runs_of(experiment, "rte")[0]))
            for study in (before, after)
        ]
        assert jobs[0] == jobs[1]


def test_a_study_with_grids_is_written_and_read_again() -> None:
    study = read_study(grids=grid(start={"lower": None}))
    assert load(merged(read_config(), encode_config(study.config))) == study
