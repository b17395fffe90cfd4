import time
from pathlib import Path
from typing import Any

import pytest

from internal_kd.distillation.progress import (
    SILENT_SECONDS,
    TrainingProgress,
    identity_of,
    progress_file,
    write_progress,
)
from internal_kd.locks import only_writer
from internal_kd.planning.costs import Costs
from internal_kd.planning.progress import RunState, run_states
from internal_kd.planning.workflow import Job, run_files
from internal_kd.specs.jobs import encode
from internal_kd.specs.runs import Run
from tests.study.configs import read_study

RUN = Run("rte", "exp2.0", 4, 100, 0)
CODE = {"exp2.0": "abc"}


@pytest.fixture
def costs(tmp_path, monkeypatch) -> Costs:
    monkeypatch.chdir(tmp_path)
    return Costs(read_study())


def job(costs: Costs, run: Run = RUN, finished: bool = False) -> Job:
    return Job("distill", (f"{run.path(str(costs.results))}/model",), finished)


def state(costs: Costs, finished: bool = False) -> RunState:
    (found,) = run_states([job(costs, finished=finished)], costs, CODE)
    return found


def write(costs: Costs, state: str, run: Run = RUN, ago: float = 0, **fields: Any) -> Path:
    """The progress file of an attempt with today's settings and code by default."""
    now = time.time() - ago
    identity = fields.pop("identity", identity_of(encode(costs.training_job(run)), CODE["exp2.0"]))
    progress = TrainingProgress(identity, state, started=now, updated=now, **fields)  # type: ignore[arg-type]
    file = progress_file(run_files(costs.results, job(costs, run)).checkpoints)
    write_progress(file, progress)
    return file


def test_a_run_without_progress_is_to_do_and_a_finished_one_is_done(costs) -> None:
    assert (state(costs).state, state(costs).progress) == ("to do", None)
    write(costs, "failed")
    found = state(costs, finished=True)
    assert (found.state, found.progress) == ("done", None)


def test_a_run_that_was_updated_a_moment_ago_is_running(costs) -> None:
    write(costs, "running", step=5)
    found = state(costs)
    assert found.state == "running"
    assert found.progress is not None
    assert found.progress.step == 5
    write(costs, "running", ago=SILENT_SECONDS - 10)
    assert state(costs).state == "running"


@pytest.mark.parametrize("ago", [SILENT_SECONDS + 1, -SILENT_SECONDS - 1])
def test_a_run_without_recent_update_is_stopped(costs, ago) -> None:
    """Killed; or written by a machine whose clock is wrong, which cannot be distinguished."""
    write(costs, "running", ago=ago)
    assert state(costs).state == "stopped"


def test_an_interruption_is_not_a_failure(costs) -> None:
    write(costs, "interrupted", reason="stopped by SIGTERM")
    assert state(costs).state == "stopped"


def test_a_failure_shows_its_message_and_its_log(costs) -> None:
    write(costs, "failed", reason="--teacher is missing", ago=1e6)
    found = state(costs)
    assert found.progress is not None
    assert (found.state, found.progress.reason) == ("failed", "--teacher is missing")
    assert found.log == costs.results / "logs/distill" / f"{RUN.name}.log"


@pytest.mark.parametrize("state_before", ["failed", "interrupted", "running"])
def test_files_of_other_settings_or_other_code_are_ignored(costs, state_before) -> None:
    for identity in (
        identity_of({**encode(costs.training_job(RUN)), "teacher_seed": 9}, CODE["exp2.0"]),
        identity_of(encode(costs.training_job(RUN)), "of other code"),
    ):
        write(costs, state_before, identity=identity, ago=SILENT_SECONDS + 1)
        assert state(costs).state == "to do"


def test_a_run_stays_running_after_edits(costs) -> None:
    write(costs, "running", identity="of other code")
    assert state(costs).state == "running"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"state": "running"}'])
def test_an_unreadable_file_is_ignored(costs, text) -> None:
    write(costs, "running").write_text(text)
    assert state(costs).state == "to do"


def test_reading_states_takes_no_lock(costs) -> None:
    file = write(costs, "running")
    with only_writer(file.with_name(f"{RUN.name}.lock")):
        before = sorted(file.parent.iterdir())
        assert state(costs).state == "running"
        assert sorted(file.parent.iterdir()) == before
