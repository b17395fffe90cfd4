"""Killed trainings go on from their checkpoints and end as if nothing had happened."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from internal_kd.distillation.checkpoints import Checkpoints
from internal_kd.distillation.objective import DistillationObjective
from internal_kd.distillation.progress import identity_of, progress_file, read_progress
from internal_kd.jobs import distill
from internal_kd.jobs.cli import INTERRUPTED
from tests.conftest import ROOT
from tests.jobs.tiny_study import (
    DISTILLATION,
    SELECTION,
    TRAINING,
    call,
    experiment_settings,
    run_of,
)

STEPS = 5 * 12
MEASURED = ["train_seconds", "evaluation_seconds"]


class Killed(BaseException):
    """Stands for kill -9: nothing in the package catches it."""


def settings_of(name: str, **changes) -> dict:
    """Settings of a run; `changes` go to its distillation, `restart_schedule` to its training."""
    training = {key: changes.pop(key) for key in ("restart_schedule",) if key in changes}
    return {
        "run": run_of(name),
        "experiment": experiment_settings(name),
        "training": TRAINING | training,
        "distillation": DISTILLATION | changes,
        "selection": SELECTION,
        "teacher_seed": None,
    }


def paths_of(tiny: Path, out: Path) -> dict[str, Path]:
    paths = {"init": tiny / "init", "data": tiny / "rte.npz", "teacher": tiny / "teacher/model"}
    return {**paths, "out": out, "checkpoints": out.with_name(f"{out.name}-checkpoints")}


def distil_until_killed(monkeypatch, step: int, settings: dict, paths: dict[str, Path]) -> None:
    """Start a run whose objective dies in its call number `step` (from 0)."""
    calls = iter(range(10**6))
    whole = DistillationObjective.__call__

    def mortal(self, *arguments):
        if next(calls) == step:
            raise Killed
        return whole(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(DistillationObjective, "__call__", mortal)
        with pytest.raises(Killed):
            call(distill, settings, **paths)


def count_steps(monkeypatch) -> list[int]:
    """A list that grows by one for each step of the trainings to come."""
    counted: list[int] = []
    whole = DistillationObjective.__call__
    monkeypatch.setattr(
        DistillationObjective, "__call__", lambda *a: counted.append(1) or whole(*a)
    )
    return counted


def same_run(one: Path, other: Path) -> None:
    """Predictions, weights and history are equal to the last bit."""
    for name in ("predictions.parquet", "model/model.safetensors"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    first, second = (pd.read_csv(f / "history.csv").drop(columns=MEASURED) for f in (one, other))
    pd.testing.assert_frame_equal(first, second, check_exact=True)


@pytest.fixture(scope="module")
def undisturbed(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    for name, changes in CASES.items():
        call(distill, settings_of(name, **changes), **paths_of(tiny, folder / name))
        checkpoints = paths_of(tiny, folder / name)["checkpoints"]
        assert not checkpoints.exists()
        assert not progress_file(checkpoints).exists()
    return folder


CASES = {
    "exp3.2": {},
    "exp3.4": {"restart_schedule": True},
    "exp3.3": {"signals": {"source": "live", "budget_mb": 100, "attention": "fp32"}},
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    ("minutes", "step"), [("0", 0), ("0", 30), ("0", 48), ("0", STEPS - 1), ("10", 13)]
)
def test_a_killed_run_equals_an_uninterrupted_one(
    tiny, undisturbed, tmp_path, monkeypatch, name, step, minutes
):
    monkeypatch.setenv("INTERNAL_KD_CHECKPOINT_MINUTES", minutes)
    settings, paths = settings_of(name, **CASES[name]), paths_of(tiny, tmp_path / name)
    distil_until_killed(monkeypatch, step, settings, paths)
    assert not paths["out"].exists()
    call(distill, settings, **paths)
    same_run(tmp_path / name, undisturbed / name)
    assert not paths["checkpoints"].exists()


def test_a_run_may_be_killed_many_times(tiny, undisturbed, tmp_path, monkeypatch):
    monkeypatch.setenv("INTERNAL_KD_CHECKPOINT_MINUTES", "0")
    settings, paths = settings_of("exp3.2"), paths_of(tiny, tmp_path / "run")
    for _ in range(4):
        distil_until_killed(monkeypatch, 7, settings, paths)
    call(distill, settings, **paths)
    same_run(tmp_path / "run", undisturbed / "exp3.2")


def test_at_most_one_interval_is_computed_again(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("INTERNAL_KD_CHECKPOINT_MINUTES", "0")
    settings, paths = settings_of("exp3.2"), paths_of(tiny, tmp_path / "run")
    distil_until_killed(monkeypatch, 31, settings, paths)
    counted = count_steps(monkeypatch)
    call(distill, settings, **paths)
    assert len(counted) == STEPS - 31


@pytest.mark.parametrize("change", ["settings", "teacher"])
def test_a_checkpoint_of_another_run_is_not_used(tiny, tmp_path, monkeypatch, change):
    monkeypatch.setenv("INTERNAL_KD_CHECKPOINT_MINUTES", "0")
    paths = paths_of(tiny, tmp_path / "run")
    distil_until_killed(monkeypatch, 31, settings_of("exp3.2"), paths)
    settings = settings_of("exp3.2", temperature=2.0) if change == "settings" else None
    if change == "teacher":
        settings = settings_of("exp3.2")
        (paths["checkpoints"].parent / "teacher").mkdir()
        copied = paths["checkpoints"].parent / "teacher" / "model"
        subprocess.run(["cp", "-r", str(paths["teacher"]), str(copied)], check=True)
        metrics = paths["teacher"].parent / "metrics.json"
        (copied.parent / "metrics.json").write_text(metrics.read_text())
        (copied / "note").write_text("another teacher")
        paths["teacher"] = copied
    counted = count_steps(monkeypatch)
    call(distill, settings, **paths)
    assert len(counted) == STEPS


def command(settings: dict, paths: dict[str, Path]) -> list[str]:
    arguments = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
    job = ["-m", "internal_kd.jobs", "distill"]
    return [sys.executable, *job, "--settings", json.dumps(settings), *arguments]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_a_signal_saves_a_checkpoint(tiny, tmp_path, number):
    """Asked to end, a training in a process of its own keeps its state and ends with status 75."""
    settings, paths = settings_of("exp3.2"), paths_of(tiny, tmp_path / "run")
    settings["training"] = TRAINING | {"epochs": 4000}
    log = tmp_path / "log"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    process = subprocess.Popen([*command(settings, paths), "--log", str(log)], env=environment)
    while not (log.exists() and "epoch 3 " in log.read_text()):
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(number)
    assert process.wait(timeout=60) == INTERRUPTED
    assert f"stopped by {number.name}" in log.read_text()
    assert "Traceback" not in log.read_text()
    assert not paths["out"].exists()
    (file,) = paths["checkpoints"].iterdir()
    assert Checkpoints(paths["checkpoints"], "?").folder == file.parent
    progress = read_progress(progress_file(paths["checkpoints"]))
    assert progress is not None
    assert (progress.state, progress.steps) == ("interrupted", 4000 * 12)
    assert progress.reason.startswith(f"stopped by {number.name} in epoch {progress.epoch} ")
    assert f" after step {progress.step % 12};" in progress.reason
    assert progress.step // 12 == progress.epoch - 1 >= 2
    assert 0 <= (progress.score or 0) <= 1
    assert progress.score_name == "validation accuracy"


def test_a_progress_file_that_cannot_be_written_changes_nothing(tiny, undisturbed, tmp_path):
    """There is a folder in its place."""
    paths = paths_of(tiny, tmp_path / "run")
    progress_file(paths["checkpoints"]).mkdir(parents=True)
    call(distill, settings_of("exp3.2"), **paths)
    same_run(tmp_path / "run", undisturbed / "exp3.2")


def test_a_failed_job_records_it_in_its_progress_file(tiny, tmp_path):
    """With the sentence of its log: also before the training, and where memory is short."""
    settings, paths = settings_of("exp3.2"), paths_of(tiny, tmp_path / "run")
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [*command(settings, paths), "--code", "other"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    progress = read_progress(progress_file(paths["checkpoints"]))
    assert progress is not None
    assert (done.returncode, progress.state) == (2, "failed")
    assert done.stderr == f"error: {progress.reason}\n"
    assert progress.identity == identity_of(settings, "other")


def test_without_a_folder_there_are_no_checkpoints(tiny, undisturbed, tmp_path):
    paths = paths_of(tiny, tmp_path / "run")
    del paths["checkpoints"]
    call(distill, settings_of("exp3.2"), **paths)
    same_run(tmp_path / "run", undisturbed / "exp3.2")
    assert {file.name for file in tmp_path.iterdir()} == {"run"}


def test_numbers_differ_where_dropout_does(undisturbed):
    """The comparison above can fail: two experiments do differ."""
    one, other = (pd.read_csv(undisturbed / n / "history.csv") for n in ("exp3.2", "exp3.4"))
    assert not np.allclose(one["loss"], other["loss"])
