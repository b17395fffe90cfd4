"""Which experiments of grids a report shows, and what they are to it."""

from internal_kd.study.grids import claims_settings, objectives_settings, starts_settings
from tests.study.configs import read_study


def test_experiments_are_known_by_their_levels_and_losses() -> None:
    cells = {cell.experiment: cell for cell in objectives_settings(read_study("objectives")).cells}
    kinds = ("vanilla", "hidden", "cls", "attention-mse", "attention-kl", "relations")
    losses = {name: cells[f"{name}-upper"].losses for name in kinds}
    assert losses == {
        "vanilla": "none",
        "hidden": "hidden",
        "cls": "hidden",
        "attention-mse": "attention",
        "attention-kl": "attention",
        "relations": "other",
    }
    cell = cells["hidden-spaced"]
    assert (cell.objective, cell.start, cell.mapping, cell.setting) == ("hidden", "spaced", "", "")
    assert (cell.init, cell.init_from) == ("spaced", "teacher")


def test_losses_of_a_general_student_are_those_of_what_starts_from_it() -> None:
    cells = {cell.experiment: cell for cell in objectives_settings(read_study("objectives")).cells}
    assert cells["attention-kl-agnostic"].losses == "attention"
    assert cells["plain-agnostic"].losses == "none"
    assert cells["plain-agnostic"].tasks == ("rte",)


def test_reports_show_the_grids_that_have_their_factors() -> None:
    study = read_study("objectives")
    shown = {cell.setting for cell in starts_settings(study).cells}
    assert shown == {""}
    claimed = claims_settings(study)
    assert {bool(cell.mapping) for cell in claimed.cells} == {True, False}
    assert claimed.margin == study.config.statistics.margin
    assert starts_settings(read_study()).cells == ()


def test_factors_that_reports_do_not_know_are_told_apart() -> None:
    vary = {
        "objective": {"vanilla": {}, "hidden": {"internal": {"hidden_mse": 1.0}}},
        "heat": {"low": {}, "high": {"output": {"soft": 1.0}}},
    }
    common = {"output": {"soft": 0.5, "hard": 0.5}}
    study = read_study(grids={"grid": {"vary": vary, "common": common}})
    others = {cell.experiment: cell.others for cell in objectives_settings(study).cells}
    assert others["hidden-high"] == others["vanilla-high"] == "high"
