"""What the rules of tables and figures declare."""

import pytest

from internal_kd.study.report_rules import (
    by_rule,
    for_each,
    labels_in_report,
    output_patterns,
    pattern_of_name,
    shown_in_report,
)
from internal_kd.study.reports import reports
from tests.study.configs import read_study


@pytest.fixture(scope="module")
def rules():
    return by_rule(reports(read_study()))


def test_every_table_has_a_rule_and_every_kind_of_figure(rules):
    assert set(rules["table1"]) == {"table1"}
    assert set(rules["figure_convergence"]) == {"fig4", "fig10"}


def test_a_job_gets_what_its_wildcard_names(rules):
    title = for_each(rules["figure_convergence"], lambda report: report.name)
    assert title({"figure": "fig10"}) == "figures/fig10"
    assert for_each(rules["table1"], lambda report: report.name)({}) == "table1"


def test_files_of_a_table_are_named(rules):
    table = rules["table1"]["table1"]
    assert pattern_of_name(table) == "table1"
    patterns = output_patterns(table, "r")
    assert patterns == {f"table1{end}": f"r/table1{end}" for end in (".csv", ".md", ".tex")}
    assert shown_in_report(table) == "table1.csv"
    assert labels_in_report(table)["labels"] == {"table": "Table 1, data (CSV)"}


def test_files_of_a_figure_have_a_wildcard(rules):
    figure = rules["figure_calibration"]["calibration"]
    assert pattern_of_name(figure) == "figures/{figure}"
    assert output_patterns(figure, "r") == {
        "figures/calibration.csv": "r/figures/{figure}.csv",
        "figures/calibration.pdf": "r/figures/{figure}.pdf",
        "figures/calibration.png": "r/figures/{figure}.png",
        "figures/calibration_summary.csv": "r/figures/{figure}_summary.csv",
    }
    assert shown_in_report(figure) == "figures/calibration.png"
    assert labels_in_report(figure) == {
        "caption": "../report/figure_calibration.rst",
        "category": "Figures",
        "subcategory": "Calibration",
        "labels": {"figure": "{figure}"},
    }


def test_snakemakes_report_shows_no_archives(rules):
    assert shown_in_report(rules["glue_submission"]["glue_submission"]) is None
