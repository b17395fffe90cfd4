"""docs/extending.md in the workflow: its file and its lines of config, on the tiny study."""

import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.extension import config, write_extension
from tests.workflow.snakemake import internal_kd, planned, snakemake
from tests.workflow.tiny import STUDY, TARGET, make_project

pytestmark = pytest.mark.slow

OPTIONS = ("--configfile", "tiny.yaml", "--")


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """The tiny study with the page's experiment, after one complete run."""
    folder = make_project(tmp_path_factory.mktemp("extension"))
    write_extension(folder)
    (folder / "tiny.yaml").write_text(yaml.safe_dump({**STUDY, **config()}))
    result = snakemake(folder, "--cores", "2", *OPTIONS, TARGET)
    assert result.returncode == 0, result.stdout
    return folder


def test_it_is_a_row_of_table_1_and_has_its_columns(project):
    table = pd.read_csv(project / TARGET)
    row = table[(table["experiment"] == "exp4.0") & (table["task"] == "rte")]
    assert len(row)
    assert (row["n"] == 1).all()
    run = project / "results/tiny/runs/rte/exp4.0/layers2/train100/seed0"
    history = pd.read_csv(run / "history.csv")
    assert {"projected_mse", "projected_mse_layer1", "projected_mse_layer2"} <= set(history.columns)


def test_an_edit_of_the_file_reruns_that_experiment_alone(project):
    assert planned(project, *OPTIONS, TARGET) == {}
    file = project / "my_objectives.py"
    before = file.read_text()
    file.write_text(before.replace(".square()", ".abs()"))
    assert planned(project, *OPTIONS, TARGET) == {"distill": 1, "table1": 1}
    file.write_text(f"# A remark.\n{before}")
    assert planned(project, *OPTIONS, TARGET) == {}
    file.write_text(before)


def test_the_plan_includes_the_size_of_its_signals(project):
    result = internal_kd(project, "plan", "--configfile", "tiny.yaml", "--out", "plan.csv")
    assert result.returncode == 0, result.stderr
    plan = pd.read_csv(project / "plan.csv")
    assert ((plan["rule"] == "distill") & (plan["experiment"] == "exp4.0")).any()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            "extensions=[nowhere.py]",
            "config: extensions: 'nowhere.py' does not exist; write the path of a Python file",
        ),
        (
            "experiments={exp4.0: {internal: {projected_mes: 1.0}}}",
            "config: experiments.exp4.0.internal.projected_mes: unknown objective; "
            "did you mean 'projected_mse'?",
        ),
    ],
)
def test_mistakes_are_reported_before_anything_runs(project, change, sentence):
    result = snakemake(project, "-n", "--configfile", "tiny.yaml", "--config", change, "--", TARGET)
    assert result.returncode != 0
    assert re.search(re.escape(sentence), result.stdout), result.stdout
    assert "Traceback" not in result.stdout
