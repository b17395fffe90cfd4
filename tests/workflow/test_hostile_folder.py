"""A working directory with modules in it: no job imports one of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflow.fake_results import write_fake_results
from tests.workflow.tiny import make_project

pytestmark = pytest.mark.slow

MODULES = ("bz2", "json", "numpy", "pandas", "internal_kd", "usercustomize", "typing", "snakemake")
CODE = "open('RUN', 'w').close()\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    folder = make_project(tmp_path_factory.mktemp("hostile"))
    write_fake_results(folder)
    for name in MODULES:
        (folder / f"{name}.py").write_text(CODE)
    return folder


@pytest.mark.parametrize("path", [None, "", ":", ".", "{folder}:"])
def test_no_module_of_the_working_directory_is_imported(project, path):
    """Also where the path of modules has an empty entry, which means the working directory."""
    program = Path(sys.executable).with_name("snakemake")
    environment = {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    before = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [str(program)]
    if path is not None:
        # Snakemake itself is started by a Python that does not search there.
        environment["PYTHONPATH"] = path.replace("{folder}", str(project))
        command = [sys.executable, "-E", str(program)]
    options = ["--cores", "1", "--configfile", "tiny.yaml", "-f", "--", "results/tiny/table1.csv"]
    done = subprocess.run(
        [*command, *options],
        cwd=project,
        env=before | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not (project / "RUN").exists()
