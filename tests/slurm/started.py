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
        """Snakemake's output so far."""
        return self.output.read_text()

    def end(self, timeout: float = 500) -> int:
        """Wait for the process; its exit status."""
        return self.process.wait(timeout)

    def wait_until(
        self, what: Callable[[], object], seconds: float = 300, pause: float = 0.2
    ) -> None:
        """Wait until a condition holds, while Snakemake runs."""
        deadline = time.monotonic() + seconds
        while not what():
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < deadline, self.text()
            time.sleep(pause)


@dataclass(frozen=True)
class Student:
    """A student's run in a project."""

    project: Path
    experiment: str = "exp2.0"

    @property
    def folder(self) -> Path:
        """The folder of the run."""
        return self.project / RESULTS / "runs/rte" / self.experiment / "layers2/train100/seed0"

    @property
    def metrics(self) -> Path:
        """The last of them."""
        return self.folder / "metrics.json"

    def log(self) -> str:
        """Output of the last attempt so far."""
        file = self.project / RESULTS / "logs/distill" / f"{self._name}.log"
        return file.read_text() if file.exists() else ""

    def epochs(self) -> list[int]:
        """The epochs that its last attempt has done so far."""
        return [int(number) for number in re.findall(r"epoch (\d+) \(", self.log())]

    def resumed(self) -> list[int]:
        """The epoch that its last attempt went on with, if it did."""
        found = re.findall(r"resuming from a checkpoint: epoch (\d+)", self.log())
        return [int(number) for number in found]

    def process(self) -> int:
        """The process that trains it or did so last, by its lock; 0 if there was none."""
        lock = self.project / RESULTS / "checkpoints" / f"{self._name}.lock"
        found = re.findall(r"process (\d+)", lock.read_text() if lock.exists() else "")
        return int(found[0]) if found else 0

    def has_trained(self, epochs: int, before: int = 0) -> bool:
        """Whether another process than `before` has trained it for some epochs."""
        checkpoints = self.project / RESULTS / "checkpoints" / self._name
        kept = any(checkpoints.glob("*.checkpoint"))
        return kept and self.process() not in (0, before) and len(self.epochs()) >= epochs

    def send(self, number: signal.Signals) -> None:
        """Send that process a signal."""
        os.kill(self.process(), number)

    @property
    def _name(self) -> str:
        return f"rte-{self.experiment}-layers2-train100-seed0"


def without(done: Path, folder: Path, *experiments: str) -> Path:
    """A copy of a project without its students and the table that shows them."""
    shutil.copytree(done, folder)
    for experiment in experiments:
        shutil.rmtree(Student(folder, experiment).folder)
    for file in (folder / RESULTS).glob("table1.*"):
        file.unlink()
    return folder


def same_table(project: Path, other: Path) -> bool:
    """Whether two projects have the same Table 1, byte for byte."""
    return (project / TABLE).read_bytes() == (other / TABLE).read_bytes()
