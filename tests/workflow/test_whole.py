"""Everything a study has, made for real on the tiny one: tables, figures, statistics, report."""

import csv
import json
import zipfile
from pathlib import Path

import pytest

from tests.workflow.snakemake import planned, snakemake
from tests.workflow.test_reruns import NEW_CODE, PACKAGE, appended, edited

pytestmark = pytest.mark.slow

OPTIONS = ("--configfile", "tiny.yaml")
SHOWN = {"index": 1, "report": 1, "all": 1}
RESULTS = Path("results/tiny")


@pytest.fixture
def project(finished_copy) -> Path:
    return finished_copy


def test_every_table_and_figure_is_there_with_its_data(project):
    results = project / RESULTS
    for name in ("table1", "table2", "table3", "table4", "significance"):
        for suffix in (".csv", ".md", ".tex"):
            assert (results / name).with_suffix(suffix).stat().st_size > 0, name
    assert (results / "claims.md").stat().st_size > 0
    for name in ("fig2", "fig3", "fig4", "fig5", "fig11", "attention_kl", "calibration"):
        for suffix in (".csv", ".pdf", ".png"):
            assert (results / "figures" / name).with_suffix(suffix).stat().st_size > 0, name


def test_one_run_serves_table_sweeps_and_figures(project):
    runs = sorted((project / RESULTS / "runs").rglob("metrics.json"))
    # teacher; 1.1, 2.0, 3.4 and its baseline 2.0t; two with one layer and on half of the data
    assert len(runs) == 1 + 4 + 2 + 2


def test_table3_sums_to_the_development_set(project):
    with open(project / RESULTS / "table3.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    cells = ("right_when_right", "wrong_when_right", "right_when_wrong", "wrong_when_wrong")
    ours = [row for row in rows if row["head"]]
    assert [row["seed"] for row in ours] == ["0", "mean"] * 2
    for row in ours:
        assert sum(float(row[cell]) for cell in cells) == float(row["n"]) == 24


def test_checkpoints_are_removed(project):
    left = [file for file in (project / RESULTS / "checkpoints").iterdir() if file.is_dir()]
    assert left == []


def test_submission_has_the_servers_files(project):
    with zipfile.ZipFile(project / RESULTS / "glue_submission.zip") as archive:
        assert len(archive.namelist()) == 11


def test_a_figures_code_reruns_that_figure_and_what_shows_it(project):
    file = project / PACKAGE / "reporting/figures/parameters.py"
    with edited(file, appended(file, NEW_CODE)):
        assert planned(project, *OPTIONS) == {"figure_parameters": 1, **SHOWN}


def test_the_code_of_significance_reruns_statistics_and_no_training(project):
    file = project / PACKAGE / "evaluation/significance.py"
    with edited(file, appended(file, NEW_CODE)):
        assert planned(project, *OPTIONS) == {"significance": 1, "table1": 1, **SHOWN}


def test_other_settings_of_statistics_rerun_statistics(project):
    jobs = planned(project, *OPTIONS, "--config", "statistics={resamples: 300}")
    assert jobs == {"significance": 1, "claims": 1, "table1": 1, **SHOWN}


def test_another_example_is_drawn_without_training(project):
    jobs = planned(project, *OPTIONS, "--config", "figures={fig5: {example: 3}}")
    assert jobs == {"attention_maps": 1, "figure_attention": 1, **SHOWN}


def test_every_run_carries_the_code_it_ran_with(project):
    codes = {
        json.loads(file.read_text())["code"]
        for file in (project / RESULTS / "runs").rglob("metrics.json")
    }
    assert len(codes) == 3  # teachers, students without and with internal objectives


def test_only_an_edited_figure_is_made_again(project):
    """Last, because it runs for real."""
    file = project / PACKAGE / "reporting/figures/calibration.py"
    file.write_text(appended(file, NEW_CODE))
    result = snakemake(project, "--cores", "1", *OPTIONS)
    assert result.returncode == 0, result.stdout
    assert planned(project, *OPTIONS) == {}
