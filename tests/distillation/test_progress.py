"""The progress file of a training, written while it trains and in whatever way it ends."""

import json
import os
import threading
import time
from pathlib import Path

import pytest

from internal_kd.distillation import progress as progress_module
from internal_kd.distillation.progress import (
    ProgressFile,
    TrainingProgress,
    identity_of,
    note_failure,
    progress_file,
    read_progress,
)
from internal_kd.errors import Interrupted, UserError

OFTEN = 0.02


@pytest.fixture
def checkpoints(tmp_path) -> Path:
    return tmp_path / "checkpoints" / "run"


def read(checkpoints: Path) -> TrainingProgress:
    found = read_progress(progress_file(checkpoints))
    assert found is not None
    return found


def wait_until(true, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_file_exists_from_the_start_and_is_removed_after_success(checkpoints) -> None:
    before = time.time()
    with ProgressFile(checkpoints, "me"):
        found = read(checkpoints)
        assert (found.identity, found.state, found.steps) == ("me", "running", 0)
        assert before <= found.started <= found.updated <= time.time()
        assert found.running
        assert found.seconds_left is None
    assert list(checkpoints.parent.iterdir()) == []


def test_steps_and_scores_are_written_soon(checkpoints) -> None:
    with ProgressFile(checkpoints, "me", OFTEN) as progress:
        progress.advance(10, steps=40, epoch=2, epochs=4)
        time.sleep(0.1)
        progress.advance(20, steps=40, epoch=3, epochs=4, loss=0.5, score=0.7, score_name="x y")
        wait_until(lambda: read(checkpoints).step == 20)
        found = read(checkpoints)
        assert (found.epoch, found.share, found.loss, found.score) == (3, 0.5, 0.5, 0.7)
        assert found.step_seconds == pytest.approx(0.01, rel=0.5)
        assert found.seconds_left == pytest.approx(20 * found.step_seconds)


def test_progress_is_updated_without_training_steps(checkpoints) -> None:
    with ProgressFile(checkpoints, "me", OFTEN):
        first = read(checkpoints).updated
        wait_until(lambda: read(checkpoints).updated > first)


def test_nothing_is_written_within_the_interval(checkpoints) -> None:
    with ProgressFile(checkpoints, "me", seconds=60) as progress:
        for step in range(100):
            progress.advance(step, steps=100)
        assert read(checkpoints).step == 0


def end_with(error: BaseException, checkpoints: Path, identity: str = "me") -> None:
    """An attempt that ends with an error after three of nine steps."""
    with ProgressFile(checkpoints, identity, OFTEN) as progress:
        progress.advance(3, steps=9, loss=0.5)
        time.sleep(5 * OFTEN)
        raise error


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (Interrupted("stopped by SIGTERM"), "interrupted", "stopped by SIGTERM"),
        (KeyboardInterrupt(), "interrupted", "KeyboardInterrupt"),
        (UserError("training: the loss"), "failed", "training: the loss"),
        (ZeroDivisionError("by zero"), "failed", "by zero"),
    ],
)
def test_the_outcome_of_an_attempt_is_kept(checkpoints, error, state, reason) -> None:
    with pytest.raises(type(error)):
        end_with(error, checkpoints)
    found = read(checkpoints)
    assert (found.state, found.reason, found.step, found.running) == (state, reason, 3, False)
    assert not any(thread.name == "progress" for thread in threading.enumerate())


def test_the_next_attempt_replaces_the_previous_one(checkpoints) -> None:
    with pytest.raises(UserError):
        end_with(UserError("no"), checkpoints)
    with ProgressFile(checkpoints, "me"):
        found = read(checkpoints)
        assert (found.state, found.reason, found.step, found.loss) == ("running", "", 0, None)


def test_readers_never_see_half_a_file(checkpoints) -> None:
    with ProgressFile(checkpoints, "me", seconds=0.0) as progress:
        for step in range(300):
            progress.advance(step, steps=300)
            read(checkpoints)


def test_a_full_disk_is_one_warning(checkpoints, monkeypatch, caplog) -> None:
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(progress_module.os, "replace", full)
    with ProgressFile(checkpoints, "me", OFTEN) as progress:
        progress.advance(1, steps=2)
        time.sleep(5 * OFTEN)
    (warning,) = caplog.messages
    assert warning == (
        f"{progress_file(checkpoints)}: No space left on device; the progress of this run is not "
        "shown"
    )
    assert list(checkpoints.parent.iterdir()) == []


def test_a_place_where_nothing_can_be_written_is_one_warning(tmp_path, caplog) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError):
        end_with(UserError("no"), tmp_path / "file" / "run")
    assert len(caplog.messages) == 1
    note_failure(tmp_path / "file" / "run", "me", "no")


def test_failure_to_start_a_thread_is_a_warning(checkpoints, monkeypatch, caplog) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with ProgressFile(checkpoints, "me"):
        assert read(checkpoints).running
    assert "can't start new thread; the progress of this run is not shown" in caplog.text


def test_a_failure_is_recorded_with_the_progress_made(checkpoints) -> None:
    with pytest.raises(MemoryError):
        end_with(MemoryError(), checkpoints)
    note_failure(checkpoints, "me", "memory: there was not enough")
    found = read(checkpoints)
    assert (found.state, found.reason, found.step) == ("failed", "memory: there was not enough", 3)


def test_a_failure_before_training_replaces_the_previous_attempts_file(checkpoints) -> None:
    with pytest.raises(UserError):
        end_with(UserError("no"), checkpoints, "of other settings")
    note_failure(checkpoints, "me", "the code changed")
    found = read(checkpoints)
    assert (found.identity, found.reason, found.step) == ("me", "the code changed", 0)
    note_failure(None, "me", "a run without checkpoints")


def test_the_identity_is_that_of_settings_and_code() -> None:
    assert identity_of({"a": 1, "b": (2,)}, "c") == identity_of(
        json.loads('{"b": [2], "a": 1}'), "c"
    )
    assert len({identity_of({}, "c"), identity_of({}, "d"), identity_of({"a": 1}, "c")}) == 3
