"""The rules used from elsewhere: as a module, with a copied config, by the catalog, with conda."""

import os
import shutil
import sys
import sysconfig
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.conftest import ROOT
from tests.jobs.tiny_study import write_base
from tests.workflow.snakemake import copy_project, job_counts, planned, snakemake
from tests.workflow.tiny import ALL_JOBS, STUDY, TARGET, make_project, write_texts

pytestmark = pytest.mark.slow

OUTER = """
configfile: "config/config.yaml"


module internal_kd:
    snakefile:
        "{snakefile}"
    config:
        config


use rule * from internal_kd
"""
# A conda for Snakemake; an environment has this one's packages but not internal_kd.
CONDA = """#!/bin/bash
case "$1" in
--version) echo "conda 24.7.1" ;;
info) echo '{{"conda_prefix": "{prefix}", "platform": "linux-64"}}' ;;
config) echo '{{"get": {{"channel_priority": "strict"}}}}' ;;
env)
    folder="${{@: -1}}"
    "{python}" -m venv --without-pip "$folder"
    for site in "$folder"/lib/python3.*/site-packages; do
        echo "{packages}" > "$site/packages.pth"
    done
    ;;
clean) ;;
*) exit 1 ;;
esac
"""
ACTIVATE = 'export PATH="$1/bin:$PATH" CONDA_PREFIX="$1"\n'


def write_inputs(folder: Path, study: dict) -> None:
    """Model, texts and config of a study in a folder that has nothing else."""
    write_base(folder / "model", layers=4)
    write_texts(folder / "text/rte")
    (folder / "config").mkdir()
    (folder / "config/config.yaml").write_text(yaml.safe_dump(study))


@pytest.mark.parametrize("name", ["Snakefile", "workflow/Snakefile"])
def test_as_a_module_of_another_workflow(tmp_path, name):
    write_inputs(tmp_path, STUDY)
    (tmp_path / "Snakefile").write_text(OUTER.format(snakefile=ROOT / name))
    assert planned(tmp_path, "--", TARGET) == ALL_JOBS
    if name == "Snakefile":
        return
    result = snakemake(tmp_path, "--cores", "2", "--", TARGET)
    assert result.returncode == 0, result.stdout
    assert (pd.read_csv(tmp_path / TARGET)["n"].dropna() >= 0).all()
    assert planned(tmp_path, "--", TARGET) == {}


def test_from_a_copied_config(tmp_path):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "workflow").mkdir()
    outer = OUTER.format(snakefile=ROOT / "workflow/Snakefile")
    (tmp_path / "workflow/Snakefile").write_text(outer)
    jobs = planned(tmp_path, "--", "results/mine/table1.csv")
    assert jobs["teacher"] == 2
    assert jobs["distill"] == 2 * 3 * 10


def test_the_catalogs_snakefile_plans_the_same_jobs(tmp_path):
    folder = copy_project(tmp_path)
    own, other = (
        job_counts(snakemake(folder, "-n", "--snakefile", name).stdout)
        for name in ("Snakefile", "workflow/Snakefile")
    )
    assert own.pop("all") == other.pop("everything") == 1
    assert own == other
    assert sum(own.values()) > 200


@pytest.fixture
def conda(tmp_path, monkeypatch) -> Path:
    """A stand-in for conda in PATH."""
    prefix = tmp_path / "conda"
    (prefix / "bin").mkdir(parents=True)
    program = CONDA.format(
        prefix=prefix, python=sys.executable, packages=sysconfig.get_path("purelib")
    )
    (prefix / "bin/conda").write_text(program)
    (prefix / "bin/conda").chmod(0o755)
    (prefix / "bin/activate").write_text(ACTIVATE)
    monkeypatch.setenv("PATH", f"{prefix / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return prefix


def test_jobs_in_conda_environments_have_the_package(tmp_path, conda):
    project = tmp_path / "project"
    project.mkdir()
    make_project(project)
    options = ("--cores", "2", "--sdm", "conda", "--configfile", "tiny.yaml", "--")
    result = snakemake(project, *options, TARGET)
    assert result.returncode == 0, result.stdout
    assert (project / TARGET).is_file()
    environments = list((project / ".snakemake/conda").glob("*/bin/python"))
    assert len(environments) == 2  # to train and to analyse
