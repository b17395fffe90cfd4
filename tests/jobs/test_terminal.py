"""What a job shows on the terminal beside its log."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

SCRIPT = """
import logging
from dataclasses import dataclass
from internal_kd.jobs.cli import Job, run_job

@dataclass
class Files: pass

def main(*_):
    logging.getLogger("internal_kd.distillation.training").info("epoch 1: loss 0.5")
    logging.getLogger("elsewhere").info("chatter")
    logging.getLogger("elsewhere").warning("take care")

run_job(Job(Files, dict, main))
"""


def shown(log: Path, setting: str | None, on_terminal: bool) -> str:
    """What a job with a log writes to its stderr, a terminal or a pipe."""
    reading, writing = pty.openpty() if on_terminal else os.pipe()
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    environment.pop("INTERNAL_KD_PROGRESS", None)
    if setting is not None:
        environment["INTERNAL_KD_PROGRESS"] = setting
    command = [sys.executable, "-c", SCRIPT, "--log", str(log)]
    try:
        subprocess.run(command, stderr=writing, env=environment, check=True)
        return os.read(reading, 10_000).decode()
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize(
    ("setting", "on_terminal", "epochs"),
    [(None, True, True), (None, False, False), ("0", True, False), ("1", False, True)],
)
def test_epochs_are_logged_on_a_terminal_or_as_configured(
    tmp_path, setting, on_terminal, epochs
) -> None:
    text = shown(tmp_path / "run.log", setting, on_terminal)
    assert ("epoch 1: loss 0.5" in text) == epochs
    assert "take care" in text
    assert "chatter" not in text
    for line in ("epoch 1: loss 0.5", "chatter", "take care"):
        assert line in (tmp_path / "run.log").read_text()
