"""What stages have in common, in processes of their own."""

import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from internal_kd.fingerprint import code_fingerprint
from internal_kd.stages.cli import run_stage
from tests.conftest import ROOT

STAGE = "internal_kd.stages.product"
TABLE1 = "internal_kd.reporting.table1"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Call a stage as a rule does."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", STAGE, "table1:write_table1", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_changed_code_is_refused_in_one_sentence(tmp_path) -> None:
    log = tmp_path / "logs/table1.log"
    result = run("--code", "0000", "--log", log, "--runs", "none", "--out", tmp_path / "t.csv")
    assert result.returncode == 2
    for text in (result.stderr, log.read_text()):
        assert text.startswith("error: the code of internal_kd.reporting.table1 changed")
        assert code_fingerprint(STAGE, TABLE1) in text
        assert "Traceback" not in text
    assert not (tmp_path / "t.csv").exists()


def test_a_programming_error_shows_its_traceback(capsys) -> None:
    def main(_: Namespace) -> None:
        raise RuntimeError("a bug")

    with pytest.raises(SystemExit) as stop:
        run_stage(STAGE, lambda parser: None, main, [])
    assert stop.value.code == 1
    text = capsys.readouterr().err
    assert "Traceback" in text
    assert "a bug" in text


@pytest.mark.parametrize("settings", ["{", "seeds: 1"])
def test_settings_must_be_json(settings) -> None:
    result = run("--settings", settings, "--runs", "none", "--out", "none")
    assert result.returncode == 2
    assert "--settings" in result.stderr


def test_garbage_is_collected_once_a_stage_is_loaded() -> None:
    """Not while it is imported, and not at all in a process that only imports stages."""
    program = """
import gc, runpy, sys
from internal_kd.stages import cli

seen = []
cli._status_of = lambda *_: seen.append((gc.isenabled(), gc.get_freeze_count() > 0)) or (0, "")
import internal_kd.stages
print(gc.isenabled())
sys.argv = ["-m"]
import importlib
importlib.reload(internal_kd.stages)
print(gc.isenabled())
cli.run_stage("internal_kd.stages.product", lambda parser: None, None, [])
print(seen)
"""
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert finished.stdout.split("\n")[:3] == ["True", "False", "[(True, True)]"], finished.stderr


@pytest.mark.parametrize("typed", ["y\n", "yes\n1\n", ""])
def test_jobs_do_not_read_terminal_input(tmp_path, typed) -> None:
    """A library that prompts for input in a job gets none."""
    program = """
import os
from internal_kd.stages.cli import run_stage
run_stage("internal_kd.stages.product", lambda parser: None, lambda _: print(os.read(0, 9)))
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
