"""What can be seen of a cluster's jobs without a cluster; tests/slurm starts one."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from tests.conftest import ROOT
from tests.workflow.snakemake import snakemake
from tests.workflow.tiny import STUDY, TARGET, make_project

OPTIONS = ("--configfile", "tiny.yaml")
BASE = "results/tiny/base"
INIT = "results/tiny/init/upper/layers2"
PROFILE = ROOT / "profiles/slurm/profile.yaml"


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """The tiny study, its base model made."""
    folder = make_project(tmp_path_factory.mktemp("project"))
    result = snakemake(folder, "--cores", "1", *OPTIONS, "--", BASE)
    assert result.returncode == 0, result.stdout
    return folder


def as_job(project: Path, monkeypatch, **planned: str) -> subprocess.CompletedProcess[str]:
    """The process that a cluster's job starts for what was planned; it makes a student."""
    for name, value in planned.items():
        monkeypatch.setenv(f"INTERNAL_KD_PLANNED_{name}", value)
    return snakemake(project, "--cores", "1", "--mode", "remote", "--force", *OPTIONS, "--", INIT)


def test_a_job_with_other_code_than_planned_is_refused(project, monkeypatch):
    result = as_job(project, monkeypatch, CODE_INTERNAL_KD_JOBS_STUDENT="0123456789abcdef")
    assert result.returncode != 0
    found = r"code of internal_kd\.jobs\.student changed since this job was planned \(0123456789"
    assert re.search(found, result.stdout)
    assert not (project / INIT).exists()


def test_a_job_uses_the_config_it_was_planned_with(project, monkeypatch):
    planned = yaml.safe_load((project / "config.yaml").read_text())
    update_config(planned, STUDY | {"study": "planned", "results": "results/planned"})
    monkeypatch.setenv("INTERNAL_KD_PLANNED_CONFIG", json.dumps(planned))
    options = ("--cores", "1", "-n", *OPTIONS, "--", "results/planned/base")
    assert snakemake(project, "--mode", "remote", *options).returncode == 0
    assert snakemake(project, *options).returncode != 0


def test_another_snakemake_in_the_folder_is_refused(project):
    """The first is halted while it holds the folder, however long the second takes to start."""
    first = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "1", *OPTIONS, "--", INIT],
        cwd=project,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert any("Execute 1 jobs" in line for line in first.stdout)
    first.send_signal(signal.SIGSTOP)
    try:
        second = snakemake(project, "--cores", "1", *OPTIONS, "--", TARGET)
    finally:
        first.send_signal(signal.SIGCONT)
    assert second.returncode != 0
    assert "Directory cannot be locked" in second.stdout
    rest = first.communicate(timeout=120)[0]
    assert first.returncode == 0, rest
    assert (project / INIT / "model.safetensors").is_file()


def test_the_profile_groups_students_and_lists_what_it_would_submit(project):
    result = snakemake(project, "-n", "--profile", "profiles/slurm", *OPTIONS, "--", TARGET)
    assert result.returncode == 0, result.stdout
    assert result.stdout.count("Group job students_rte") == 1
    assert result.stdout.count("Group job") == 1


def test_retries_are_set_only_in_the_profile():
    assert yaml.safe_load(PROFILE.read_text())["retries"] > 0
    assert not [file for file in ROOT.glob("workflow/rules/*.smk") if "retries" in file.read_text()]
