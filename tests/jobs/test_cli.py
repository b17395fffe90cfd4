"""What jobs have in common, in processes of their own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest

from internal_kd.fingerprint import code_fingerprint
from internal_kd.jobs.__main__ import JOBS, main
from internal_kd.jobs.cli import Job, recorded, run_job
from tests.conftest import ROOT

PRODUCT = "internal_kd.jobs.product"
TABLE1 = "internal_kd.reporting.table1"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Call a job as a rule does."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    job = ["-m", "internal_kd.jobs", "product", "--function", "table1:write_table1"]
    command = [sys.executable, *job, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@dataclass(frozen=True)
class NoFiles:
    """Files of a job that has none."""


def test_changed_code_is_refused_in_one_sentence(tmp_path) -> None:
    log = tmp_path / "logs/table1.log"
    result = run("--code", "0000", "--log", log, "--runs", "none", "--out", tmp_path / "t.csv")
    assert result.returncode == 2
    for text in (result.stderr, log.read_text()):
        assert text.startswith("error: the code of internal_kd.reporting.table1 changed")
        assert code_fingerprint(PRODUCT, TABLE1) in text
        assert "Traceback" not in text
    assert not (tmp_path / "t.csv").exists()


def test_changed_code_is_refused_before_settings_are_read(capsys) -> None:
    """Settings of another version may have another form."""
    with pytest.raises(SystemExit) as stop:
        main(["student", "--code", "0000", "--settings", "{}", "--base", "none", "--out", "none"])
    assert stop.value.code == 2
    assert "error: the code of internal_kd.jobs.student changed" in capsys.readouterr().err


def test_a_programming_error_shows_its_traceback(capsys) -> None:
    def fail(files: NoFiles, settings: dict) -> None:
        raise RuntimeError("a bug")

    with pytest.raises(SystemExit) as stop:
        run_job(Job(NoFiles, dict, recorded(fail)), [])
    assert stop.value.code == 1
    text = capsys.readouterr().err
    assert "Traceback" in text
    assert "a bug" in text


@pytest.mark.parametrize("settings", ["{", "seeds: 1"])
def test_settings_must_be_json(settings) -> None:
    result = run("--settings", settings, "--runs", "none", "--out", "none")
    assert result.returncode == 2
    assert "--settings" in result.stderr


def test_garbage_is_collected_once_a_job_is_loaded() -> None:
    """Not while it is imported, and not at all in a process that only imports jobs."""
    program = """
import gc, runpy, sys
from internal_kd.jobs import cli

seen = []
cli._status_of = lambda *_: seen.append((gc.isenabled(), gc.get_freeze_count() > 0)) or (0, "")
import internal_kd.jobs
print(gc.isenabled())
sys.argv = ["-m"]
import importlib
importlib.reload(internal_kd.jobs)
print(gc.isenabled())
from internal_kd.jobs import timings
cli.run_job(timings.JOB, ["--benchmarks", "none"])
print(seen)
"""
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert finished.stdout.split("\n")[:3] == ["True", "False", "[(True, True)]"], finished.stderr


@pytest.mark.parametrize("typed", ["y\n", "yes\n1\n", ""])
def test_jobs_do_not_read_terminal_input(tmp_path, typed) -> None:
    """A library that prompts for input in a job gets none."""
    program = """
import os
from dataclasses import dataclass
from internal_kd.jobs.cli import Job, run_job

@dataclass
class Files: pass

run_job(Job(Files, dict, lambda *_: print(os.read(0, 9))))
"""
    result = subprocess.run(
        [sys.executable, "-c", program, "--log", tmp_path / "log"],
        input=typed,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        check=False,
    )
    assert result.stdout == "b''\n", result.stderr


def test_messages_contain_no_control_characters(tmp_path) -> None:
    runs = tmp_path / "\x1b[2J\u202erun"
    result = run("--runs", runs, "--out", tmp_path / "t.csv", "--settings", "{}")
    assert "\x1b" not in result.stderr


def test_every_job_is_a_module_with_its_own_files() -> None:
    modules = {file.stem for file in (ROOT / "src/internal_kd/jobs").glob("*.py")}
    shared = {"__init__", "__main__", "cli", "failed_runs", "files", "resource_errors"}
    assert set(JOBS) == modules - shared
    for name in JOBS:
        assert import_module(f"internal_kd.jobs.{name}").JOB.module.endswith(f".{name}")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [([], "error: a job is missing; known: agnostic, "), (["x"], "error: unknown job 'x'; known")],
)
def test_an_unknown_job_is_refused(words, sentence, capsys) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err.startswith(sentence)


def test_help_lists_jobs_and_options(capsys) -> None:
    assert main(["--help"]) == 0
    assert "jobs: agnostic, attention, " in capsys.readouterr().out
    with pytest.raises(SystemExit) as stop:
        main(["timings", "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith("usage: python -m internal_kd.jobs timings ")
    assert "folder of benchmarks" in text
