"""The jobs of a study, finished and to be done."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

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
        """The run that it makes or reads."""
        return run_of_path(self.files[0])

    @property
    def trains(self) -> bool:
        """Whether it makes a run."""
        return self.rule in TRAINING


@dataclass(frozen=True)
class RunFiles:
    """Where the log of a run and the folder of its checkpoints lie."""

    log: Path
    checkpoints: Path


def run_files(results: Path, job: Job) -> RunFiles:
    """The files of a job that trains."""
    assert job.run is not None
    return RunFiles(
        log=results / "logs" / job.rule / f"{job.run.name}.log",
        checkpoints=results / "checkpoints" / job.run.name,
    )


def jobs_of_summary(
    lines: Iterable[str], outputs: Mapping[str, int], results: Path
) -> Iterator[Job]:
    """The jobs in what `snakemake --summary` prints, a line for each file, job after job.

    Args:
        lines: what it prints.
        outputs: numbers of files that a job of each rule makes. Another workflow that uses these
            rules may have more; each of their files counts as a job.
        results: folder of the study's results.
    """
    files: dict[str, list[dict[str, str]]] = defaultdict(list)
    for line in csv.DictReader(lines, delimiter="\t"):
        files[line["rule"]].append(line)
    for rule, made in files.items():
        size = outputs.get(rule, 1)
        for start in range(0, len(made), size):
            yield _without_checkpoint(_job(rule, made[start : start + size]), results)


def _job(rule: str, made: Sequence[Mapping[str, str]]) -> Job:
    finished = all(line["plan"] == FINISHED for line in made)
    return Job(rule, tuple(line["output_file"] for line in made), finished)


def _without_checkpoint(job: Job, results: Path) -> Job:
    """A run that was killed while it wrote its files has them, and a checkpoint to resume from."""
    interrupted = job.trains and run_files(results, job).checkpoints.is_dir()
    return replace(job, finished=job.finished and not interrupted)
