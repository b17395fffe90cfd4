"""The tiny study with all that it has, made once for all test processes."""

import fcntl
import os
import shutil
from pathlib import Path

import pytest

from tests.faults import forked
from tests.workflow.tiny import make_project

OPTIONS = ("--cores", "2", "--configfile", "tiny.yaml", "--", "all")


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """The finished tiny study, to be read only: other test processes read it, too."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder, done = shared / "finished", shared / "finished.done"
    with open(shared / "finished.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            folder.mkdir()
            made = forked.run("snakemake", list(OPTIONS), make_project(folder))
            assert made.status == 0, made.text
            done.touch()
    return folder


@pytest.fixture(scope="module")
def finished_copy(finished, tmp_path_factory) -> Path:
    """A copy of it for the tests of a module; only index and report depend on the folder."""
    return shutil.copytree(finished, tmp_path_factory.mktemp("copy") / "study", symlinks=True)
