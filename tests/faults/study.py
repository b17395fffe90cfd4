"""A tiny study, the commands that its workflow runs, and the numbers that must be the same."""

import csv
import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from internal_kd.expected_files import expected_file
from tests.faults import forked
from tests.workflow.tiny import STUDY, make_project

RESULTS = Path("results/tiny")
ATTENTION = "results/tiny/attention/rte-exp3.4-layers2-train100-seed0.parquet"
OPTIONS = ("--configfile", "tiny.yaml")
TARGETS = ("--", "results/tiny/table1.csv", ATTENTION)
EPOCHS = 12
TRAINING = {"batch_size": 4, "epochs": EPOCHS}
LONGER = {
    "teacher": {"training": TRAINING, "per_task": None},
    "student": {"layers": 2, "training": TRAINING, "per_task": None},
}
# A checkpoint every few steps.
ENVIRONMENT = {"INTERNAL_KD_CHECKPOINT_MINUTES": "0.001"}
MEASURED = ("seconds", "speed", "train_seconds", "evaluation_seconds")


@dataclass(frozen=True)
class Command:
    """What a rule runs: `python -m module job arguments` with some variables."""

    module: str
    arguments: tuple[str, ...]
    environment: dict[str, str]

    @property
    def job(self) -> str:
        """Name of the job, or of the table that it makes."""
        job = self.arguments[0]
        return self._word("function").partition(":")[0] if job == "product" else job

    def _word(self, option: str) -> str:
        """The word that follows an option."""
        return self.arguments[self.arguments.index(f"--{option}") + 1]

    def path(self, option: str) -> Path:
        """The path that follows an option."""
        return Path(self._word(option))

    @property
    def log(self) -> Path:
        """The log that the job writes."""
        return self.path("log")

    @property
    def outputs(self) -> list[Path]:
        """Files and folders that the job makes."""
        if self.job == "data":
            return [self.path("tokens"), self.path("examples")]
        out = self.path("out")
        if self.job == "table1":
            return [out, out.with_suffix(".md"), out.with_suffix(".tex")]
        return [out]

    @property
    def kept(self) -> list[Path]:
        """Where a run keeps its files a second time until the workflow has them all."""
        if not self.trains:
            return []
        folder = self.path("checkpoints")
        return [folder.with_name(f"{folder.name}.finished")]

    @property
    def trains(self) -> bool:
        """Whether there are checkpoints."""
        return "--checkpoints" in self.arguments

    @property
    def name(self) -> str:
        """Job and, for a run, its experiment."""
        return f"{self.job}-{self.path('out').parts[4]}" if self.trains else self.job

    def start(self, project: Path, output: Path) -> forked.BaseProcess:
        """Start it as the workflow does."""
        for file in self.outputs:
            (project / file).parent.mkdir(parents=True, exist_ok=True)
        return forked.start(self.module, self.arguments, project, output, self.environment)

    def run(self, project: Path) -> forked.Done:
        """Run it to its end."""
        for file in self.outputs:
            (project / file).parent.mkdir(parents=True, exist_ok=True)
        return forked.run(self.module, self.arguments, project, self.environment)


def make_study(folder: Path) -> Path:
    """The project with the tiny study, whose trainings have a few dozen steps."""
    make_project(folder)
    (folder / "tiny.yaml").write_text(yaml.safe_dump(STUDY | LONGER))
    # A dry run records what a table should be made from only where there is such a file.
    expected = folder / expected_file(str(RESULTS), "table1")
    expected.parent.mkdir(parents=True)
    expected.touch()
    return folder


def commands(project: Path, *options: str) -> list[Command]:
    """What the workflow would run, in an order in which it can be run."""
    done = forked.run("snakemake", ["-n", "-p", *OPTIONS, *options, *TARGETS], project)
    assert done.status == 0, done.text
    return [_command(line) for line in re.findall(r"^Shell command: (.+)$", done.text, re.M)]


def _command(line: str) -> Command:
    words = shlex.split(line)
    first = words.index("python")
    variables = dict(word.split("=", 1) for word in words[:first])
    return Command(words[first + 2], tuple(words[first + 3 :]), {**ENVIRONMENT, **variables})


def numbers(results: Path) -> dict[str, Any]:
    """All that a study has found out: tables, predictions, histories, scores, weights."""
    found: dict[str, Any] = {}
    for file in sorted(results.rglob("*")):
        name = str(file.relative_to(results))
        if name.startswith("checkpoints/"):
            continue
        if file.suffix in (".parquet", ".npz", ".safetensors", ".md", ".tex"):
            found[name] = file.read_bytes()
        elif file.name == "table1.csv":
            found[name] = file.read_text()
        elif file.name == "history.csv":
            found[name] = _history(file)
        elif file.name == "metrics.json":
            found[name] = _without_seconds(json.loads(file.read_text()))
    return found


def differences(found: dict[str, Any], expected: dict[str, Any]) -> dict[str, str]:
    """Names of files that differ, and how: a few words instead of whole tables."""
    return {
        name: _difference(found.get(name), expected.get(name))
        for name in sorted(found.keys() | expected.keys())
        if found.get(name) != expected.get(name)
    }


def _difference(found: Any, expected: Any) -> str:
    if found is None or expected is None:
        return "missing" if found is None else "not expected"
    there = next((n for n, (a, b) in enumerate(zip(found, expected, strict=False)) if a != b), 0)
    if isinstance(found, dict):
        return str([key for key in found | expected if found.get(key) != expected.get(key)])
    return f"at {there}: {found[there:][:80]!r}, not {expected[there:][:80]!r}"


def _history(file: Path) -> list[dict[str, Any]]:
    with open(file, newline="") as rows:
        return [_without_seconds(row) for row in csv.DictReader(rows)]


def _without_seconds(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in MEASURED}
