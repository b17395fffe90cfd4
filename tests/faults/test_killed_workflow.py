"""The workflow killed again and again: it completes, with the numbers of an undisturbed one."""

import os
import random
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.faults import forked
from tests.faults.study import (
    ATTENTION,
    ENVIRONMENT,
    EPOCHS,
    OPTIONS,
    RESULTS,
    TARGETS,
    commands,
    differences,
    make_study,
    numbers,
)

pytestmark = pytest.mark.slow

# Other moments: INTERNAL_KD_FAULT_SEED=1 python -m pytest tests/faults
SEED = int(os.environ.get("INTERNAL_KD_FAULT_SEED", "0"))
CHANCE = random.Random(SEED)
CHANGED = ("--config", "experiments={exp2.0: {output: {soft: 2.0}}}")
WAIT = 1200.0
PROGRAM = "internal_kd.jobs"
_EPOCH = re.compile(r"epoch \d+ \(")


@dataclass(frozen=True)
class Kill:
    """Who is killed once one of these programs works, some time within `delay` seconds.

    `who`: the program alone | its job, the program and the shell around it | snakemake alone, which
    creates orphans | all of them, as in a power cut. Time counts from the start of the program, or
    where it trains from its first checkpoint.
    """

    programs: tuple[str, ...]
    who: str
    delay: float


TRAINING = ("teacher", "distill")
LAST = (TARGETS[1], ATTENTION)
# What a program has made, so that it has something to do again.
MADE = {"base": "base", "data": "data", "student": "init", "teacher": "runs/rte/exp1.0"}
MADE |= {"distill": "runs/rte/exp2.0"}
POLL = 0.02  # seconds
SCHEDULE = (
    Kill(("base",), "program", 4.0),
    Kill(("data", "student"), "all", 4.0),
    Kill(("data", "student"), "job", 4.0),
    Kill(("teacher",), "program", 0.3),
    Kill(("teacher",), "all", 0.3),
    Kill(("distill",), "all", 0.3),
    Kill(("distill",), "job", 0.3),
    Kill(("distill",), "snakemake", 0.3),
    Kill(("attention", "product"), "all", 3.0),
    Kill(("attention", "product"), "program", 3.0),
)


class Workflow:
    """Snakemake in a folder, started as a user does; it and its jobs are processes of this test."""

    def __init__(self, project: Path, *config: str) -> None:
        self.project = project
        self.output = project / "output.txt"
        argv = ["--cores", "2", *OPTIONS, *config, *TARGETS]
        self.started = time.time()
        self.process = forked.start("snakemake", argv, project, self.output, ENVIRONMENT)

    def below(self) -> list[psutil.Process]:
        """All processes below Snakemake."""
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self.process.pid).children(recursive=True)
        return []

    def programs(self) -> Iterator[tuple[str, list[str], psutil.Process]]:
        """Stages at work: name, command line and process."""
        for process in self.below():
            with suppress(psutil.Error):
                words = process.cmdline()
                if PROGRAM in words and Path(words[0]).name.startswith("python"):
                    yield words[words.index(PROGRAM) + 1], words, process

    def wait(self) -> int:
        """Exit status."""
        self.process.join(WAIT)
        assert self.process.exitcode is not None, self.output.read_text()
        return self.process.exitcode

    def victim(self, kill: Kill) -> psutil.Process | None:
        """A program to be killed, once its time has come; None if all had been made before."""
        while self.process.exitcode is None:
            for name, words, process in self.programs():
                if name in kill.programs and self.has_begun(words):
                    time.sleep(CHANCE.uniform(0, kill.delay))
                    return process
            time.sleep(POLL)
        assert self.process.exitcode == 0, self.output.read_text()
        return None

    def has_begun(self, words: list[str]) -> bool:
        """Whether a training job has written a checkpoint; other jobs count once they run."""
        if "--checkpoints" not in words:
            return True
        folder = words[words.index("--checkpoints") + 1]
        return any((self.project / folder).glob("*.checkpoint"))

    def kill(self, who: str, program: psutil.Process | None) -> bool:
        """SIGKILL, and wait until all has ended; False if Snakemake had come to its end before."""
        if program is None:
            return False
        below = self.below()
        for process in self.victims(who, program) or self.victims("all", program):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        status = self.wait()
        # Orphans work on beside the next Snakemake; others take a moment to end.
        psutil.wait_procs([] if who == "snakemake" else below, WAIT)
        return status != 0

    def victims(self, who: str, program: psutil.Process) -> list[psutil.Process]:
        """The processes to be killed; none if the program has ended by itself."""
        try:
            snakemake = psutil.Process(self.process.pid)
            if who == "all":
                return [snakemake, *self.below()]
            if program.status() == psutil.STATUS_ZOMBIE:
                return []
            shell = [program.parent()] if program.ppid() != snakemake.pid else []
        except psutil.NoSuchProcess:
            return []
        return {"program": [program], "job": [*shell, program], "snakemake": [snakemake]}[who]


@pytest.fixture(scope="module")
def expected(tmp_path_factory) -> dict[str, Any]:
    """Numbers of the study, and of the study with another weight of a loss, made undisturbed."""
    project = make_study(tmp_path_factory.mktemp("undisturbed"))
    found = {}
    for name, config in (("first", ()), ("changed", CHANGED)):
        shutil.rmtree(project / RESULTS / "runs/rte/exp2.0", ignore_errors=True)
        (project / RESULTS / "table1.csv").unlink(missing_ok=True)
        for command in commands(project, *config):
            done = command.run(project)
            assert done.status == 0, done.text
        found[name] = numbers(project / RESULTS)
    assert differences(found["first"], found["changed"])
    return found


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A study that is made under fire."""
    return make_study(tmp_path_factory.mktemp("killed"))


def is_locked(project: Path) -> bool:
    """Whether Snakemake has been killed before it could give the folder free."""
    return any((project / ".snakemake/locks").glob("*"))


def unlocked(project: Path) -> None:
    """What the next call requires after Snakemake itself has been killed."""
    done = forked.run("snakemake", ["--unlock", *OPTIONS, *TARGETS], project)
    assert done.status == 0, done.text


@dataclass
class Tally:
    """What the campaign has cost, against a study that nobody disturbs."""

    kills: int = 0
    in_trainings: int = 0
    epochs: int = 0
    needed: int = 0

    def add(self, workflow: Workflow) -> int:
        """Count the epochs that were trained under this Snakemake."""
        logs = (workflow.project / RESULTS / "logs").glob("*/rte-exp*.log")
        written = [log for log in logs if log.stat().st_mtime >= workflow.started]
        trained = sum(len(_EPOCH.findall(log.read_text())) for log in written)
        self.epochs += trained
        return trained

    def __str__(self) -> str:
        return (
            f"seed {SEED}: {self.kills} kills, {self.in_trainings} of them in trainings; "
            f"{self.epochs} epochs were trained where {self.needed} would do"
        )


@pytest.fixture(scope="module")
def tally() -> Iterator[Tally]:
    counted = Tally()
    yield counted
    print(f"\n{counted}")


def under_fire(project: Path, kill: Kill, tally: Tally, *config: str) -> None:
    """Start the workflow, kill it as planned, and do what the next call requires."""
    workflow = Workflow(project, *config)
    landed = workflow.kill(kill.who, workflow.victim(kill))
    trained = tally.add(workflow)
    if not landed:
        tally.needed += trained
        for file in LAST:
            (project / file).unlink()
        for program in MADE.keys() & set(kill.programs):
            shutil.rmtree(project / RESULTS / MADE[program])
        under_fire(project, replace(kill, delay=kill.delay / 2), tally, *config)
        return
    tally.kills += 1
    tally.in_trainings += kill.programs[0] in TRAINING
    if is_locked(project):
        unlocked(project)


def made(project: Path, tally: Tally, trainings: int, *config: str) -> dict[str, Any]:
    """Numbers of the study once the workflow has come to its end."""
    workflow = Workflow(project, *config)
    assert workflow.wait() == 0, workflow.output.read_text()
    tally.add(workflow)
    tally.needed += trainings * EPOCHS
    return numbers(project / RESULTS)


def test_a_study_completes_in_spite_of_kills_at_every_job(project, expected, tally):
    for kill in SCHEDULE:
        under_fire(project, kill, tally)
    assert differences(made(project, tally, 4), expected["first"]) == {}
    assert tally.epochs < 2 * tally.needed


def test_no_old_numbers_remain_after_a_change_and_a_killed_job(project, expected, tally):
    """Snakemake runs to its end: it must not take the earlier table for up to date."""
    under_fire(project, Kill(("distill",), "program", 0.3), tally, *CHANGED)
    assert differences(made(project, tally, 1, *CHANGED), expected["changed"]) == {}


def test_no_old_numbers_remain_after_a_change_and_a_power_cut(project, expected, tally):
    under_fire(project, Kill(("distill",), "all", 0.3), tally)
    assert differences(made(project, tally, 1), expected["first"]) == {}
