"""The environment that jobs inherit from the workflow."""

import os
import sys
from pathlib import Path

import pytest

from internal_kd.study.job_environment import prepare_environment, use_this_python

SOURCE = Path("/checkout/src")


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """An environment and a search path of their own, in another folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.setattr(sys, "path", ["/packages", "", str(tmp_path)])


def test_modules_come_from_the_package_and_never_from_the_working_directory(tmp_path):
    os.environ["PYTHONPATH"] = os.pathsep.join(["/own", str(tmp_path), str(SOURCE)])
    prepare_environment(SOURCE, cores=2)
    assert sys.path == ["/packages"]
    assert os.environ["PYTHONPATH"].split(os.pathsep) == [str(SOURCE), "/own"]
    assert os.environ["PYTHONSAFEPATH"] == "1"
    assert os.environ["INTERNAL_KD_SOURCE"] == str(SOURCE)
    assert os.environ["INTERNAL_KD_PYTHON"] == sys.executable


@pytest.mark.parametrize(("cores", "progress"), [(1, None), (2, "0"), (None, "0")])
def test_epochs_are_shown_where_trainings_run_one_by_one(cores, progress):
    prepare_environment(SOURCE, cores)
    assert os.environ.get("INTERNAL_KD_PROGRESS") == progress


def test_what_the_user_has_set_stays():
    os.environ.update(INTERNAL_KD_PROGRESS="1", MALLOC_TOP_PAD_="7")
    prepare_environment(SOURCE, cores=2)
    assert os.environ["INTERNAL_KD_PROGRESS"] == "1"
    assert os.environ["MALLOC_TOP_PAD_"] == "7"
    assert int(os.environ["MALLOC_TRIM_THRESHOLD_"]) > 2**30


def test_jobs_run_in_this_python():
    os.environ["PATH"] = "/usr/bin"
    use_this_python()
    assert os.environ["PATH"] == f"{Path(sys.executable).parent}{os.pathsep}/usr/bin"
