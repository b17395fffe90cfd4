"""The registry of tables, statistics, files and figures: every entry is whole and used."""

from importlib import import_module

import pytest

from internal_kd.study.reports import FIGURE_KINDS, REPORTS, reports
from tests.conftest import ROOT
from tests.study.configs import SCHEMA, read_study

FUNCTIONS = {
    **{name: kind.function for name, kind in REPORTS.items()},
    **{f"figure_{name}": kind.function for name, kind in FIGURE_KINDS.items()},
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_its_function_and_its_caption_are_there(name):
    module, _, function = FUNCTIONS[name].partition(":")
    assert callable(getattr(import_module(f"internal_kd.reporting.{module}"), function))
    assert (ROOT / f"workflow/report/{name}.rst").is_file()


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

    assert tables(read_study()) == [name for name in REPORTS if name != "readings"]
    assert tables(read_study(reports=["claims", "table1"])) == ["table1", "claims"]
