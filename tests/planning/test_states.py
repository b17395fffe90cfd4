import os
import time
from pathlib import Path

import pytest

from internal_kd.locks import only_writer
from internal_kd.planning.jobs import Job, RunFiles, run_files
from internal_kd.planning.states import PROC_LOCKS, SILENT_SECONDS, RunState, run_states
from tests.planning.test_run_log import EPOCHS, bar

RUN = "runs/rte/exp2.0/layers2/train100/seed0"


@pytest.fixture
def files(tmp_path) -> RunFiles:
    """The files of the run, with folders for its log and its metrics."""
    found = run_files(tmp_path, job(tmp_path))
    for file in (found.log, found.metrics, found.lock):
        file.parent.mkdir(parents=True)
    return found


def job(results: Path, finished: bool = False) -> Job:
    return Job("distill", (f"{results}/{RUN}/model",), finished)


def state(results: Path, finished: bool = False) -> RunState:
    (found,) = run_states([job(results, finished)], results)
    return found


def silence(log: Path) -> None:
    """The log as it were if the process had not written for long."""
    past = time.time() - SILENT_SECONDS - 1
    os.utime(log, (past, past))


def test_a_run_without_log_is_to_do_and_a_finished_one_is_done(tmp_path, files) -> None:
    assert state(tmp_path).state == "to do"
    files.log.write_text(EPOCHS)
    assert state(tmp_path, finished=True).state == "done"


def test_a_run_that_is_there_but_has_to_be_made_anew_is_to_do(tmp_path, files) -> None:
    files.log.write_text(EPOCHS)
    files.metrics.write_text("{}")
    assert state(tmp_path).state == "to do"
    assert state(tmp_path).log.epoch == ""


def test_a_log_that_grows_belongs_to_a_run_at_work(tmp_path, files) -> None:
    files.log.write_text(EPOCHS + bar(5, 9, 1))
    assert (state(tmp_path).state, state(tmp_path).log.step) == ("running", 5)
    silence(files.log)
    assert state(tmp_path).state == "stopped"


@pytest.mark.skipif(not PROC_LOCKS.is_file(), reason="the system does not tell its locks")
def test_a_process_of_this_machine_is_known_by_its_lock(tmp_path, files) -> None:
    files.log.write_text(bar(5, 9, 1))
    silence(files.log)
    with only_writer(files.lock):
        assert state(tmp_path).state == "running"
    assert state(tmp_path).state == "stopped"


def test_looking_does_not_take_the_lock(tmp_path, files) -> None:
    files.log.write_text(bar(5, 9, 1))
    files.lock.touch()
    state(tmp_path)
    with only_writer(files.lock):
        pass


def test_a_run_that_was_asked_to_end_is_stopped_at_once(tmp_path, files) -> None:
    files.log.write_text("stopped by SIGTERM in epoch 2 after step 5\n")
    assert state(tmp_path).state == "stopped"


def test_an_error_is_a_failure_with_its_sentence(tmp_path, files) -> None:
    files.log.write_text(EPOCHS + "error: --teacher is missing\n")
    found = state(tmp_path)
    assert (found.state, found.log.error, found.file) == (
        "failed",
        "--teacher is missing",
        files.log,
    )
