"""The environment that jobs inherit from the workflow."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from internal_kd.errors import UserError
from internal_kd.study.job_environment import (
    FOR_PLANNING,
    PACKAGES,
    prepare_environment,
    require_packages,
    use_this_python,
)

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


def test_missing_packages_are_named_in_one_sentence():
    with pytest.raises(UserError, match="this Python has no no_such_package, nor_this; install"):
        require_packages(("json", "no_such_package", "nor_this"))


def test_packages_for_planning_are_checked_before_one_is_imported():
    modules = "internal_kd.study.description, internal_kd.study.job_environment"
    code = f"import sys, {modules}; print([name for name in {FOR_PLANNING} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert set(FOR_PLANNING) <= set(PACKAGES)
