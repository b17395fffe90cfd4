"""What is not the user's mistake works: notebooks, locales, file systems, environments, data."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.workflow.fake_results import write_fake_results
from tests.workflow.snakemake import planned
from tests.workflow.tiny import STUDY, make_project

pytestmark = pytest.mark.slow

FIGURE = Path("results/tiny/figures/fig4.png")
VENV = Path(sys.executable).parent
NO_FLOCK = """
import fcntl, os

def flock(file, operation):
    raise OSError({number}, os.strerror({number}))

fcntl.flock = flock
"""
ROWS = 30


def call(
    folder: Path, target: str | Path, environment: dict[str, str], *more: str
) -> subprocess.CompletedProcess[str]:
    """Snakemake by its full path, with some variables."""
    arguments = ["--cores", "1", "--configfile", "tiny.yaml", *more, "--", str(target)]
    return subprocess.run(
        [VENV / "snakemake", *arguments],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """The tiny study, of which only tables and figures remain to be made."""
    folder = make_project(tmp_path_factory.mktemp("project"))
    write_fake_results(folder)
    return folder


@pytest.fixture
def project(finished, tmp_path) -> Path:
    return shutil.copytree(finished, tmp_path / "project", symlinks=True)


@pytest.fixture(scope="module")
def picture(finished) -> bytes:
    """A figure with the default settings."""
    done = call(finished, FIGURE, {})
    assert done.returncode == 0, done.stdout
    return (finished / FIGURE).read_bytes()


@pytest.mark.parametrize("where", ["backend", "its folder", "home", "working directory"])
def test_figures_do_not_depend_on_a_users_matplotlib(project, picture, tmp_path, where):
    (project / FIGURE).unlink(missing_ok=True)
    (tmp_path / ".config/matplotlib").mkdir(parents=True)
    environment, file = {
        "backend": ({"MPLBACKEND": "module://matplotlib_inline.backend_inline"}, None),
        "its folder": ({"MPLCONFIGDIR": str(tmp_path)}, tmp_path / "matplotlibrc"),
        "home": (
            {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / ".config")},
            tmp_path / ".config/matplotlib/matplotlibrc",
        ),
        "working directory": ({}, project / "matplotlibrc"),
    }[where]
    if file is not None:
        file.write_text("text.usetex: True\nsavefig.dpi: 40\nlines.linewidth: 9\nbackend: TkAgg\n")
    done = call(project, FIGURE, environment)
    assert done.returncode == 0, done.stdout
    assert (project / FIGURE).read_bytes() == picture


@pytest.mark.parametrize("others", ["nothing", "a python", "a python and an active environment"])
def test_jobs_use_the_python_of_snakemake(project, tmp_path, others):
    """Which may be called by its path, without its environment being active."""
    folder = tmp_path / "bin"
    folder.mkdir()
    environment = {"PATH": f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin"}
    if others != "nothing":
        for name in ("python", "python3"):
            (folder / name).write_text("#!/bin/sh\necho another python >&2\nexit 9\n")
            (folder / name).chmod(0o755)
    if "active" in others:
        environment["VIRTUAL_ENV"] = str(tmp_path)
    done = call(project, "results/tiny/table1.csv", environment)
    assert done.returncode == 0, done.stdout
    assert "another python" not in done.stdout


@pytest.mark.parametrize("locale", [{"LC_ALL": "C"}, {"LC_ALL": "POSIX", "LANG": "de_DE"}])
def test_pages_are_written_in_any_locale(project, locale):
    plain = {**locale, "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = call(project, "results/tiny/index.html", plain)
    assert done.returncode == 0, done.stdout
    assert "Table 1" in (project / "results/tiny/index.html").read_text(encoding="utf-8")
    assert "−" in (project / "results/tiny/claims.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("number", ["ENOSYS", "ENOLCK", "EOPNOTSUPP"])
def test_a_file_system_without_locks_is_reported_and_used(project, tmp_path, number):
    (tmp_path / "sitecustomize.py").write_text(
        f"import errno\nNUMBER = errno.{number}\n{NO_FLOCK.format(number='NUMBER')}"
    )
    target = "results/tiny/runs/rte/exp1.0/layers4/train100/seed0/metrics.json"
    done = call(project, target, {"PYTHONPATH": str(tmp_path)}, "--forcerun", "teacher")
    assert done.returncode == 0, done.stdout
    assert ".internal-kd.lock cannot be locked" in done.stdout
    assert "make sure that only one workflow writes there" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize("labels", ["known", "hidden"])
def test_own_pairs_with_a_test_split_have_everything_but_a_submission(project, labels):
    """They are in the form of a task of GLUE, whose server does not have them."""
    values = np.full(ROWS, -1) if labels == "hidden" else np.arange(ROWS) % 2
    words = [f"w{row % 20} w1" for row in range(ROWS)]
    columns = {"sentence1": words, "sentence2": words, "label": values}
    pq.write_table(pa.table(columns), project / "text/rte/test.parquet")
    shutil.rmtree(project / "results/tiny")
    config = ["data={limit: null}", "sweeps={layers: {counts: []}, data_size: {fractions: []}}"]
    config.append(f"figures={{{', '.join(f'{name}: null' for name in STUDY['figures'])}}}")
    done = call(project, "results/tiny/index.html", {}, "--config", *config)
    assert done.returncode == 0, done.stdout
    page = (project / "results/tiny/glue_submission.md").read_text(encoding="utf-8")
    assert "placeholder: 30 test examples where GLUE has 3000" in page
    assert "Not for the server" in (project / "results/tiny/index.html").read_text("utf-8")


def test_an_experiment_that_nothing_shows_is_accepted(project):
    """Its schedule does not fit the epochs; it is rejected only when requested by name."""
    config = ["student={training: {epochs: 2}}", "comparison={internal: exp3.2}"]
    config += ["table1={experiments: [exp1.0, exp1.1, exp2.0]}", "figures={fig4: null}"]
    target = "results/tiny/table1.csv"
    jobs = planned(project, "--configfile", "tiny.yaml", "--config", *config, "--", target)
    assert "table1" in jobs
    run = "results/tiny/runs/rte/exp3.3/layers2/train100/seed0/metrics.json"
    done = call(project, run, {}, "--config", *config)
    assert done.returncode != 0
    assert "student.training.epochs: 2 epochs are too few" in done.stdout
    assert "Traceback" not in done.stdout
