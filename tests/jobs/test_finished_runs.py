"""A run that has ended well is not done again, whatever became of its files."""

import os
import shutil
import subprocess
import time

import pytest

from internal_kd.jobs import distill, teacher
from tests.conftest import ROOT
from tests.jobs.test_resume import (
    STEPS,
    command,
    count_steps,
    paths_of,
    same_run,
    settings_of,
)
from tests.jobs.tiny_study import SELECTION, TRAINING, call, run_of

KEPT = "run-checkpoints.finished"


@pytest.fixture
def paths(tiny, tmp_path):
    paths = paths_of(tiny, tmp_path / "run")
    call(distill, settings_of("exp3.2"), **paths)
    shutil.copytree(paths["out"], tmp_path / "before")
    return paths


def test_deleted_outputs_are_restored_without_training(paths, tmp_path, monkeypatch):
    shutil.rmtree(paths["out"])
    steps = count_steps(monkeypatch)
    call(distill, settings_of("exp3.2"), **paths)
    assert steps == []
    same_run(paths["out"], tmp_path / "before")
    for name in ("history.csv", "metrics.json"):
        assert (paths["out"] / name).read_bytes() == (tmp_path / "before" / name).read_bytes()


@pytest.mark.parametrize("change", ["settings", "code"])
def test_another_run_is_trained(paths, tmp_path, monkeypatch, change):
    settings = settings_of("exp3.2", **({"temperature": 2.0} if change == "settings" else {}))
    if change == "code":
        (tmp_path / KEPT / "finished.json").write_text('{"identity": "of other code"}')
    shutil.rmtree(paths["out"])
    steps = count_steps(monkeypatch)
    call(distill, settings, **paths)
    assert len(steps) == STEPS


def test_a_teacher_is_restored_too(tiny, tmp_path):
    settings = {"run": run_of("exp1.0", layers=4), "training": {**TRAINING, "epochs": 1}}
    settings["selection"] = SELECTION
    paths = {"base": tiny / "base", "data": tiny / "rte.npz", "out": tmp_path / "run"}
    paths["checkpoints"] = tmp_path / "run-checkpoints"
    call(teacher, settings, **paths)
    before = (tmp_path / "run/metrics.json").read_bytes()
    shutil.rmtree(tmp_path / "run")
    call(teacher, settings, **paths)
    assert (tmp_path / "run/metrics.json").read_bytes() == before


@pytest.mark.slow
def test_a_second_process_waits_and_reuses_the_results_of_the_first(tiny, tmp_path):
    settings, paths = settings_of("exp3.2"), paths_of(tiny, tmp_path / "run")
    settings["training"] = TRAINING | {"epochs": 80}
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    first, second = (
        [*command(settings, paths), "--log", str(tmp_path / name)] for name in ("first", "second")
    )
    one = subprocess.Popen(first, env=environment)
    while "epoch 3 " not in (
        (tmp_path / "first").read_text() if (tmp_path / "first").exists() else ""
    ):
        assert one.poll() is None
        time.sleep(0.1)
    other = subprocess.run(second, env=environment, timeout=300, check=False)
    assert one.wait(timeout=30) == other.returncode == 0
    log = (tmp_path / "second").read_text()
    assert f"process {one.pid} on " in log
    assert "waiting for it to end" in log
    assert "this run was already finished" in log
    assert "epoch 1 " not in log
