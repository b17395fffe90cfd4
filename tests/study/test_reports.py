"""The registry of tables, statistics, files and figures: every entry is whole and used."""

from collections.abc import Callable
from importlib import import_module
from typing import get_type_hints

import pytest

from internal_kd.study.reports import FIGURE_KINDS, REPORTS, reports
from tests.conftest import ROOT
from tests.study.configs import SCHEMA, read_study

KINDS = {**REPORTS, **{f"figure_{name}": kind for name, kind in FIGURE_KINDS.items()}}


def function_of(name: str) -> Callable[..., None]:
    module, _, function = KINDS[name].function.partition(":")
    return getattr(import_module(f"internal_kd.reporting.{module}"), function)


@pytest.mark.parametrize("name", KINDS)
def test_its_function_and_its_caption_are_there(name):
    assert callable(function_of(name))
    assert (ROOT / f"workflow/report/{name}.rst").is_file()


@pytest.mark.parametrize("name", KINDS)
def test_its_settings_are_of_the_type_that_its_function_takes(name):
    made, taken = get_type_hints(KINDS[name].settings), get_type_hints(function_of(name))
    assert made["return"] is taken["settings"]


def test_the_schema_lists_the_same_names():
    assert SCHEMA["properties"]["reports"]["items"]["enum"] == list(REPORTS)
    figure = SCHEMA["properties"]["figures"]["additionalProperties"]
    assert set(figure["properties"]["kind"]["enum"]) == set(FIGURE_KINDS)


def test_names_and_files_are_unique():
    made = reports(read_study())
    files = [file for report in made for file in report.files]
    assert len(files) == len(set(files))
    assert len({report.name for report in made}) == len(made)


def test_items_of_a_study():
    def tables(study) -> list[str]:
        return [report.name for report in reports(study) if report.kind != "figure"]

    grids = ["objectives", "starts", "mappings", "objective_claims"]
    others = {"readings", *grids}
    assert tables(read_study()) == [name for name in REPORTS if name not in others]
    assert tables(read_study("objectives")) == grids
    figures = [report.name for report in reports(read_study("objectives"))[4:]]
    assert figures == ["figures/objective_scores", "figures/start_slopes"]
    assert tables(read_study(reports=["claims", "table1"])) == ["table1", "claims"]
