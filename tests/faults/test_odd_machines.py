"""Machines and folders that are not as usual: one sentence, or it works."""

import os
import shutil
import subprocess
import sys
import time

import pytest

from internal_kd.distillation.checkpoints import MINUTES, Checkpoints
from internal_kd.errors import UserError
from internal_kd.study.file_integrity import damage
from internal_kd.study.results_folder import results_problems
from tests.conftest import ROOT


@pytest.mark.parametrize("value", ["often", "", "-1", "nan", "1,5", "10 min"])
def test_an_invalid_interval(tmp_path, monkeypatch, value):
    monkeypatch.setenv(MINUTES, value)
    with pytest.raises(UserError, match=f"{MINUTES}: is '{value}'; it must be a number of minutes"):
        Checkpoints(tmp_path, "identity")


@pytest.mark.parametrize("value", ["0", "0.5", "1e3", " 3 ", "inf"])
def test_an_interval(tmp_path, monkeypatch, value):
    monkeypatch.setenv(MINUTES, value)
    assert Checkpoints(tmp_path, "identity").seconds == 60 * float(value)


@pytest.mark.parametrize(
    "error", ["MemoryError()", "ImportError('x.so: failed to map: Cannot allocate memory')"]
)
@pytest.mark.parametrize("job", ["distill", "product"])
def test_memory_exhausted_while_packages_are_imported(tmp_path, job, error):
    (tmp_path / "numpy.py").write_text(f"raise {error}\n")
    path = os.pathsep.join([str(tmp_path), str(ROOT / "src")])
    done = subprocess.run(
        [sys.executable, "-m", "internal_kd.jobs", job, "--help"],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert done.stderr == "error: memory: not enough to start with; give the job more\n"


@pytest.mark.parametrize("where", ["results", "results/below", "elsewhere/results"])
def test_results_in_a_link_to_nothing(tmp_path, monkeypatch, where):
    monkeypatch.chdir(tmp_path)
    link = tmp_path / where.partition("/")[0]
    link.symlink_to(tmp_path / "absent")
    (problem,) = results_problems(where, "embedded")
    assert f"'{link}' is a broken link; remove it or name another folder" in str(problem)


@pytest.mark.parametrize("name", ["train.parquet", "model.safetensors", "vocab.txt"])
def test_inputs_from_the_future_or_nowhere(tmp_path, name):
    file = tmp_path / name
    file.write_bytes(b"PAR1....PAR1")
    os.utime(file, (time.time() + 4000,) * 2)
    assert "has a time in the future" in str(damage(file))
    file.unlink()
    file.symlink_to(tmp_path / "absent")
    assert damage(file) == "is a link to a file that is not there"


def test_make_below_a_path_with_spaces(tmp_path):
    folder = tmp_path / "a b (c)"
    binaries = folder / ".venv/bin"
    binaries.mkdir(parents=True)
    for name in ("Makefile", "requirements.lock"):
        shutil.copy(ROOT / name, folder / name)
    for name in ("python", "snakemake", "ruff"):
        (binaries / name).write_text(f'#!/bin/sh\necho {name} "$@" >> calls\n')
        (binaries / name).chmod(0o755)
    (folder / ".venv/.installed").touch()
    subprocess.run(["make", "--silent", "table1", "times", "format"], cwd=folder, check=False)
    calls = (folder / "calls").read_text().splitlines()
    assert calls[:3] == [
        "snakemake --cores all results/table1.csv",
        "python -m internal_kd.jobs timings --benchmarks results/benchmarks",
        "ruff check --fix-only .",
    ]
