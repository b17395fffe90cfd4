"""Snakemake on a cluster, and a student's run, watched and disturbed while they last."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

RESULTS = Path("results/tiny")
TABLE = str(RESULTS / "table1.csv")
# The project's own profile; only the waiting is shorter.
PROFILE = ("--profile", "profiles/slurm", "--configfile", "tiny.yaml")
SOON = ("--slurm-init-seconds-before-status-checks", "3", "--latency-wait", "10")


class Started:
    """A Snakemake process in a project's folder, on the cluster."""

    def __init__(self, project: Path, *arguments: str) -> None:
        self.output = project / "snakemake.out"
        environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        environment.pop("PYTHONPATH", None)
        command = [sys.executable, "-m", "snakemake", *PROFILE, *SOON, *arguments, "--", TABLE]
        with open(self.output, "w") as output:
            self.process = subprocess.Popen(
                command, cwd=project, env=environment, stdout=output, stderr=subprocess.STDOUT
            )

    def text(self) -> str:
        """What Snakemake has said so far."""
        return self.output.read_text()

    def end(self, timeout: float = 500) -> int:
        """Wait for the process; its exit status."""
        return self.process.wait(timeout)

    def wait_until(self, what: Callable[[], object], seconds: float = 300) -> None:
        """Wait until a condition holds, while Snakemake runs."""
        deadline = time.monotonic() + seconds
        while not what():
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < deadline, self.text()
            time.sleep(0.2)


@dataclass(frozen=True)
class Student:
    """A student's run in a project."""

    project: Path
    experiment: str = "exp2.0"

    @property
    def folder(self) -> Path:
        """Where the run leaves its files."""
        return self.project / RESULTS / "runs/rte" / self.experiment / "layers2/train100/seed0"

    @property
    def metrics(self) -> Path:
        """The last of them."""
        return self.folder / "metrics.json"

    def log(self) -> str:
        """What the last attempt has said so far."""
        file = self.project / RESULTS / "logs/distill" / f"{self._name}.log"
        return file.read_text() if file.exists() else ""

    def is_training(self, epoch: int = 1) -> bool:
        """Whether an epoch is over and a checkpoint written."""
        checkpoints = self.project / RESULTS / "checkpoints" / self._name
        return f"epoch {epoch} " in self.log() and any(checkpoints.glob("*.checkpoint"))

    def is_resumed(self) -> bool:
        """Whether it goes on from a checkpoint."""
        return "going on from a checkpoint" in self.log()

    def resumed_epoch(self) -> int:
        """The epoch that it went on with."""
        return int(re.findall(r"going on from a checkpoint: epoch (\d+)", self.log())[0])

    def last_epoch(self) -> int:
        """The last epoch that its log tells of."""
        return int(re.findall(r"epoch (\d+) \(", self.log())[-1])

    def process(self) -> int:
        """The process that trains it, by its lock."""
        lock = self.project / RESULTS / "checkpoints" / f"{self._name}.lock"
        return int(re.findall(r"process (\d+)", lock.read_text())[0])

    def send(self, number: signal.Signals) -> None:
        """Send that process a signal."""
        os.kill(self.process(), number)

    @property
    def _name(self) -> str:
        return f"rte-{self.experiment}-layers2-train100-seed0"


def without(done: Path, folder: Path, *experiments: str) -> Path:
    """A copy of a project that lacks students, and the table that shows them."""
    shutil.copytree(done, folder)
    for experiment in experiments:
        shutil.rmtree(Student(folder, experiment).folder)
    for file in (folder / RESULTS).glob("table1.*"):
        file.unlink()
    return folder


def same_table(project: Path, other: Path) -> bool:
    """Whether two projects have the same Table 1, byte for byte."""
    return (project / TABLE).read_bytes() == (other / TABLE).read_bytes()
