"""Several students in one process: each ends as it does alone, whatever happens to the others."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from internal_kd.distillation.signals import LiveSignals
from internal_kd.distillation.together import LockStep
from internal_kd.locks import only_writer
from internal_kd.models.teacher import FrozenTeacher
from internal_kd.stages import distill
from internal_kd.stages.cli import INTERRUPTED
from tests.conftest import ROOT
from tests.stages.test_resume import STEPS, Killed, command, count_steps, same_run, settings_of
from tests.stages.tiny_study import TRAINING, call

OWN = "exp3.2"
NAMES = (OWN, "exp1.1", "exp2.0", "exp3.4")
SOURCES = ("precomputed", "live")


def told(name: str, source: str = "precomputed", epochs: int | None = None, **changes) -> dict:
    """Settings of a run; dropout is on, so that random numbers matter."""
    signals = {"source": source, "budget_mb": 100, "attention": "fp32"}
    settings = settings_of(name, **({"signals": signals} | changes))
    if epochs:
        settings["training"] = TRAINING | {"epochs": epochs}
    return settings


def paths_of(tiny: Path, folder: Path, name: str) -> dict[str, Path]:
    paths = {"init": tiny / "init", "data": tiny / "rte.npz", "out": folder / name}
    if name != "exp1.1":
        paths["teacher"] = tiny / "teacher/model"
    return paths | {"checkpoints": folder / "checkpoints" / name}


def together(
    folder: Path, settings: dict[str, dict], planned: Iterable[str] | None = None
) -> list[str]:
    """The arguments that name companions, all of them planned unless told."""
    runs = {
        name: {
            "settings": settings[name],
            "out": str(folder / name),
            "checkpoints": str(folder / "checkpoints" / name),
            "log": str(folder / "logs" / f"{name}.log"),
        }
        for name in (settings if planned is None else planned)
        if name in settings
    }
    file = folder / "checkpoints/planned.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(runs))
    return [str(file), *settings]


def train(tiny: Path, folder: Path, settings: dict[str, dict], **more) -> None:
    """The job of the first run, with the others as its companions."""
    own, *others = settings
    beside = together(folder, {name: settings[name] for name in others}, **more)
    call(distill, settings[own], **paths_of(tiny, folder, own), together=beside)


def collect(tiny: Path, folder: Path, settings: dict[str, dict], monkeypatch) -> int:
    """The jobs of all runs, each alone; how many steps they still have to make."""
    steps = count_steps(monkeypatch)
    for name in settings:
        call(distill, settings[name], **paths_of(tiny, folder, name))
    return len(steps)


@pytest.fixture(scope="module")
def alone(tiny, tmp_path_factory) -> Path:
    """Every run in a process of its own, from either source of signals."""
    folder = tmp_path_factory.mktemp("alone")
    for source in SOURCES:
        for name in NAMES:
            call(distill, told(name, source), **paths_of(tiny, folder / source, name))
    return folder


@pytest.mark.parametrize("source", SOURCES)
def test_each_student_ends_as_it_does_alone(tiny, alone, tmp_path, monkeypatch, source):
    settings = {name: told(name, source) for name in NAMES}
    train(tiny, tmp_path, settings)
    assert {path.name for path in tmp_path.iterdir()} == {OWN, "checkpoints", "logs"}
    assert collect(tiny, tmp_path, settings, monkeypatch) == 0
    for name in NAMES:
        same_run(tmp_path / name, alone / source / name)
    left = {path.name for path in (tmp_path / "checkpoints").iterdir()}
    kept = {f"{name}.{end}" for name in NAMES for end in ("lock", "finished")}
    assert left == {"planned.json", *kept}
    assert "epoch 5 " in (tmp_path / "logs/exp3.4.log").read_text()


def test_a_live_teacher_is_asked_once_per_batch_and_depth(tiny, tmp_path, monkeypatch):
    depths = []
    whole = FrozenTeacher.forward
    monkeypatch.setattr(
        FrozenTeacher,
        "forward",
        lambda self, tokens, depth=None: depths.append(depth) or whole(self, tokens, depth),
    )
    names = (OWN, "exp2.0", "exp3.4", "exp3.5")
    train(tiny, tmp_path, {name: told(name, "live") for name in names})
    # exp3.4 asks for single layers in four of five epochs, all others for whole passes.
    assert depths.count(None) == STEPS
    assert len(depths) == STEPS + STEPS * 4 // 5


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("step", [1, 4 * 30 + 2])
def test_killed_students_go_on_together_and_alone(tiny, alone, tmp_path, monkeypatch, source, step):
    """The own run goes on together with one of the others; the rest go on alone."""
    monkeypatch.setenv("INTERNAL_KD_CHECKPOINT_MINUTES", "0")
    settings = {name: told(name, source) for name in NAMES}
    turns = iter(range(10**6))
    whole = LockStep._advance

    def mortal(self, student):
        if next(turns) == step:
            raise Killed
        whole(self, student)

    with monkeypatch.context() as patch:
        patch.setattr(LockStep, "_advance", mortal)
        with pytest.raises(Killed):
            train(tiny, tmp_path, settings)
    steps = count_steps(monkeypatch)
    train(tiny, tmp_path, {name: settings[name] for name in (OWN, "exp3.4")})
    for name in NAMES:
        call(distill, settings[name], **paths_of(tiny, tmp_path, name))
        same_run(tmp_path / name, alone / source / name)
    assert len(steps) == len(NAMES) * STEPS - step


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_is_ended_loses_nobody(tiny, tmp_path, monkeypatch, number):
    """In processes of their own; SIGTERM has all of them write checkpoints."""
    minutes = "0" if number == signal.SIGKILL else "10"
    environment = os.environ | {
        "PYTHONPATH": str(ROOT / "src"),
        "INTERNAL_KD_CHECKPOINT_MINUTES": minutes,
    }
    settings = {name: told(name, "live", epochs=12) for name in (OWN, "exp3.4")}
    own, *others = settings
    beside = together(tmp_path, {name: settings[name] for name in others})
    paths = paths_of(tiny, tmp_path, own)
    log = tmp_path / "logs/exp3.4.log"
    words = [*command(settings[own], paths), "--together", *beside, "--log", str(tmp_path / "log")]
    process = subprocess.Popen(words, env=environment)
    while not (log.exists() and "epoch 2 " in log.read_text()):
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(number)
    assert process.wait(timeout=60) == (-9 if number == signal.SIGKILL else INTERRUPTED)
    assert not any((tmp_path / name).exists() for name in settings)
    assert all(any((tmp_path / "checkpoints" / name).iterdir()) for name in settings)
    subprocess.run(words, env=environment, check=True)
    assert "going on from a checkpoint" in log.read_text()
    assert collect(tiny, tmp_path, settings, monkeypatch) == 0
    for name in settings:
        call(distill, settings[name], **paths_of(tiny, tmp_path / "alone", name))
        same_run(tmp_path / name, tmp_path / "alone" / name)


def test_who_is_locked_done_or_not_planned_is_left_out(tiny, tmp_path, monkeypatch):
    settings = {name: told(name) for name in NAMES}
    call(distill, settings["exp1.1"], **paths_of(tiny, tmp_path, "exp1.1"))
    shutil.rmtree(tmp_path / "checkpoints" / "exp1.1.finished")
    planned = [OWN, "exp1.1", "exp2.0"]
    steps = count_steps(monkeypatch)
    with only_writer(tmp_path / "checkpoints" / "exp2.0.lock"):
        train(tiny, tmp_path, settings, planned=planned)
    assert len(steps) == STEPS
    assert not list((tmp_path / "checkpoints").glob("exp[123].[014]*.finished"))


def test_a_companion_that_fails_stops_nobody(tiny, alone, tmp_path, capfd):
    settings = {name: told(name) for name in (OWN, "exp2.0")}
    broken = told("exp1.1")
    broken["training"] = TRAINING | {"learning_rate": 1e30, "max_grad_norm": 0.0}
    train(tiny, tmp_path, {OWN: settings[OWN], "exp1.1": broken, "exp2.0": settings["exp2.0"]})
    assert "exp1.1 failed beside another run: training: the loss" in capfd.readouterr().err
    same_run(tmp_path / OWN, alone / "precomputed" / OWN)
    kept = {path.stem for path in (tmp_path / "checkpoints").glob("*.finished")}
    assert kept == {OWN, "exp2.0"}
    with pytest.raises(SystemExit):
        call(distill, broken, **paths_of(tiny, tmp_path, "exp1.1"))
    assert "lower learning_rate" in capfd.readouterr().err


def test_an_own_run_that_fails_leaves_checkpoints_of_the_others(tiny, tmp_path, monkeypatch):
    settings = {name: told(name) for name in (OWN, "exp2.0")}
    settings[OWN]["training"] = TRAINING | {"learning_rate": 1e30, "max_grad_norm": 0.0}
    with pytest.raises(SystemExit):
        train(tiny, tmp_path, settings)
    steps = count_steps(monkeypatch)
    call(distill, settings["exp2.0"], **paths_of(tiny, tmp_path, "exp2.0"))
    assert 0 < len(steps) < STEPS


def test_signals_that_do_not_fit_beside_leave_a_companion_out(tiny, tmp_path, monkeypatch):
    """Alone each is precomputed; beside each other they would be more than the budget."""
    needed = {"exp3.0": 0.0, "exp3.1": 0.0}
    settings = {name: told(name, "auto") for name in needed}
    monkeypatch.setattr(
        "internal_kd.distillation.signal_pool.precomputed_bytes",
        lambda lengths, wanted, *_: 60e6 * (wanted.cls + wanted.attention),
    )
    steps = count_steps(monkeypatch)
    train(tiny, tmp_path, settings)
    assert len(steps) == STEPS


def test_the_sources_are_those_of_the_student_alone(tiny, tmp_path, monkeypatch):
    """One too large for the budget is live, and does not make the others so."""
    monkeypatch.setattr(
        "internal_kd.distillation.signal_pool.precomputed_bytes",
        lambda lengths, wanted, *_: 200e6 * wanted.attention,
    )
    made = []
    whole = LiveSignals.__call__
    monkeypatch.setattr(
        LiveSignals,
        "__call__",
        lambda self, *a, **k: made.append(self.wanted) or whole(self, *a, **k),
    )
    train(tiny, tmp_path, {name: told(name, "auto") for name in ("exp3.0", "exp2.0")})
    live = [wanted for wanted in made if wanted.attention]
    assert len(live) == STEPS
    assert len(made) - len(live) < STEPS


def test_compiled_students_are_trained_alone(tiny, tmp_path, monkeypatch):
    settings = {name: told(name) for name in (OWN, "exp2.0")}
    for each in settings.values():
        each["training"] = TRAINING | {"compile": True}
    monkeypatch.setattr(
        "internal_kd.distillation.training._compiled", lambda objective, *_: objective
    )
    steps = count_steps(monkeypatch)
    train(tiny, tmp_path, settings)
    assert len(steps) == STEPS
