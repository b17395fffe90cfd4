"""The jobs of a study, finished and to be done, as Snakemake itself sees them."""

import csv
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from internal_kd.errors import UserError
from internal_kd.second_snakemake import second_snakemake
from internal_kd.specs.runs import Run, run_of_path

FINISHED = "no update"
TRAINING = ("teacher", "distill")


@dataclass(frozen=True)
class Job:
    """A job of the workflow.

    Attributes:
        rule: name of its rule.
        files: what it makes.
        finished: whether nothing is left to do; a job of other code or settings is not finished.
    """

    rule: str
    files: tuple[str, ...]
    finished: bool

    @property
    def run(self) -> Run | None:
        """The run that it makes or looks at."""
        return run_of_path(self.files[0])

    @property
    def trains(self) -> bool:
        """Whether it makes a run."""
        return self.rule in TRAINING


@dataclass(frozen=True)
class RunFiles:
    """Where the files of a run at work lie."""

    log: Path
    checkpoints: Path
    lock: Path
    metrics: Path


def run_files(results: Path, job: Job) -> RunFiles:
    """The files of a job that trains."""
    assert job.run is not None
    checkpoints = results / "checkpoints" / job.run.name
    return RunFiles(
        log=results / "logs" / job.rule / f"{job.run.name}.log",
        checkpoints=checkpoints,
        lock=checkpoints.with_name(f"{job.run.name}.lock"),
        metrics=Path(job.run.path(str(results))) / "metrics.json",
    )


def read_jobs(
    config: Mapping[str, Any],
    workflow: Mapping[str, Any],
    snakefile: str | Path,
    python: str | Path,
) -> list[Job]:
    """All jobs that the targets in the config's plan are made by.

    Args:
        config: the merged config of the workflow.
        workflow: `outputs`, numbers of files that a job of each rule makes, and `rerun_triggers`.
        snakefile: its main file.
        python: the Python that the workflow runs in.

    Raises:
        UserError: Snakemake cannot plan them; it has told why on stderr.
    """
    targets = config["plan"]["targets"] or []
    told = ["--summary", "--rerun-triggers", *workflow["rerun_triggers"], "--", *targets]
    with second_snakemake(config, snakefile, python) as command:
        ended = subprocess.run([*command, *told], stdout=subprocess.PIPE, text=True, check=False)
    if ended.returncode:
        what = f"plan.targets: {', '.join(targets)}" if targets else "the study"
        raise UserError(f"{what} cannot be planned; run snakemake -n to see why")
    found = jobs_of_summary(ended.stdout.splitlines(), workflow["outputs"])
    return [_without_checkpoint(job, Path(config["results"])) for job in found]


def _without_checkpoint(job: Job, results: Path) -> Job:
    """A run that was killed while it wrote its files has them, and a checkpoint to go on from."""
    interrupted = job.trains and run_files(results, job).checkpoints.is_dir()
    return replace(job, finished=job.finished and not interrupted)


def jobs_of_summary(lines: Iterable[str], outputs: Mapping[str, int]) -> Iterator[Job]:
    """The jobs in what `snakemake --summary` prints, a line for each file, job after job."""
    files: dict[str, list[dict[str, str]]] = defaultdict(list)
    for line in csv.DictReader(lines, delimiter="\t"):
        files[line["rule"]].append(line)
    for rule, made in files.items():
        for start in range(0, len(made), outputs[rule]):
            yield _job(rule, made[start : start + outputs[rule]])


def _job(rule: str, made: Sequence[Mapping[str, str]]) -> Job:
    finished = all(line["plan"] == FINISHED for line in made)
    return Job(rule, tuple(line["output_file"] for line in made), finished)
