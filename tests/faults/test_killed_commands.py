"""Commands of the workflow killed at random moments: repeated, they give the same numbers.

Every kill is a SIGKILL to a process. Files of a killed command stay where they are, which is
harder than under Snakemake, which removes it.
"""

import os
import random
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.faults.study import RESULTS, Command, commands, differences, make_study, numbers

pytestmark = pytest.mark.slow

# Other moments: INTERNAL_KD_FAULT_SEED=1 python -m pytest tests/faults
SEED = int(os.environ.get("INTERNAL_KD_FAULT_SEED", "0"))
TIMES = {"base": 2, "student": 2, "data": 2, "attention": 2, "table1": 2}
TIMES |= {"teacher-exp1.0": 4, "distill-exp1.1": 2, "distill-exp2.0": 2, "distill-exp3.4": 5}
APPEARING = {
    "base": ["model.safetensors"],
    "data": [""],
    "teacher-exp1.0": ["history.csv"],
    "distill-exp2.0": ["predictions.parquet"],
    "distill-exp3.4": ["model"],
    "table1": [""],
}
TRIES = 6
_RESUMED = re.compile(r"resuming from a checkpoint: epoch (\d+), step (\d+)")


@dataclass(frozen=True)
class KillPoint:
    """When a command is killed: after a share of its usual time, or when a file appears."""

    name: str
    share: float = 0.0
    file: str | None = None

    def __str__(self) -> str:
        if self.file is None:
            return f"{self.name}-at-{self.share:.2f}"
        return f"{self.name}-when-{self.file or 'its output'}-appears"


def kill_points() -> list[KillPoint]:
    """The same ones for the same seed."""
    chosen = random.Random(SEED)
    timed = [KillPoint(n, chosen.random()) for n, count in TIMES.items() for _ in range(count)]
    named = [KillPoint(n, file=file) for n, files in APPEARING.items() for file in files]
    partial = [KillPoint(n, file="partial") for n in ("teacher-exp1.0", "distill-exp3.4")]
    return [*timed, *named, *partial]


@dataclass
class Tally:
    """What the campaign has done so far."""

    landed: int = 0
    resumed: int = 0
    afresh: int = 0

    def __str__(self) -> str:
        trained = self.resumed + self.afresh
        return (
            f"seed {SEED}: {self.landed} kills landed; of {trained} killed trainings "
            f"{self.resumed} went on from a checkpoint, {self.afresh} from the beginning"
        )


@dataclass(frozen=True)
class Undisturbed:
    """A study made without a fault: its commands, how long they take, and its numbers."""

    project: Path
    commands: dict[str, Command]
    seconds: dict[str, float]
    numbers: dict[str, Any]


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Undisturbed:
    project = make_study(tmp_path_factory.mktemp("commands"))
    planned = {command.name: command for command in commands(project)}
    seconds = {}
    for name, command in planned.items():
        started = time.monotonic()
        done = command.run(project)
        seconds[name] = time.monotonic() - started
        assert done.status == 0, done.text
    return Undisturbed(project, planned, seconds, numbers(project / RESULTS))


@pytest.fixture(scope="module")
def tally():
    counted = Tally()
    yield counted
    print(f"\n{counted}")


def until_time(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def until_file(command: Command, project: Path, name: str) -> Callable[[], bool]:
    if name == "partial":
        return (project / command.path("checkpoints") / name).exists
    output = project / command.outputs[0]
    return (output / name if name else output).exists


def killed(command: Command, project: Path, moment: Callable[[], bool]) -> bool:
    """Start a command without its outputs and kill it; False if it had ended before."""
    for file in [*command.outputs, *command.kept]:
        if (project / file).is_dir():
            shutil.rmtree(project / file)
        (project / file).unlink(missing_ok=True)
    process = command.start(project, project / "output.txt")
    while not moment() and process.exitcode is None:
        time.sleep(0.0005)
    process.kill()
    process.join()
    return process.exitcode == -9


def count(tally: Tally, command: Command, project: Path, began: bool) -> None:
    """Whether a training that was killed after its start resumed or started afresh."""
    tally.landed += 1
    if command.trains and began:
        resumed = bool(_RESUMED.search((project / command.log).read_text()))
        tally.resumed += resumed
        tally.afresh += not resumed


@pytest.mark.parametrize("point", kill_points(), ids=str)
def test_the_same_command_completes_with_the_same_numbers(study, tally, point):
    command, project = study.commands[point.name], study.project
    for trial in range(TRIES):
        log = project / command.log
        log.unlink(missing_ok=True)
        moment = (
            until_time(study.seconds[point.name] * point.share / 2**trial)
            if point.file is None
            else until_file(command, project, point.file)
        )
        if killed(command, project, moment):
            break
        assert differences(numbers(project / RESULTS), study.numbers) == {}
    else:
        pytest.fail(f"{point.name} ended before it could be killed, {TRIES} times")
    began = log.is_file() and "epoch 1 " in log.read_text()
    done = command.run(project)
    assert done.status == 0, done.text
    count(tally, command, project, began)
    assert differences(numbers(project / RESULTS), study.numbers) == {}
    if command.trains:
        assert not (project / command.path("checkpoints")).exists()


def test_enough_kills_landed_and_checkpoints_were_used(tally):
    """Runs last: the campaign did what its description promises."""
    assert tally.landed >= 25
    assert tally.resumed >= 5
