"""Snakemake's view of a study, obtained from outside of the workflow.

Which jobs there are and which of them are up to date depends on code, settings, inputs and options:
Snakemake decides it, and computing it a second time would sooner or later differ. So Snakemake is
called once, with the user's own options, for its summary. It takes no lock and executes nothing.
The workflow also writes down the config that it has made of all config files and options.

The jobs of a study, finished and to be done.
"""

import csv
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from internal_kd.errors import UserError, reason
from internal_kd.specs.agnostic import AgnosticRun, agnostic_run_of_path
from internal_kd.specs.runs import Run, run_of_path
from internal_kd.study.config import Study, study_of
from internal_kd.study.description import DESCRIPTION

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
        """Whether it makes a run, or a general student."""
        return self.rule in (*TRAINING, "agnostic")

    @property
    def training(self) -> Run | AgnosticRun:
        """What a job that trains makes."""
        found = self.run or agnostic_run_of_path(self.files[0])
        assert found is not None
        return found


@dataclass(frozen=True)
class RunFiles:
    """Where the log of a run and the folder of its checkpoints lie."""

    log: Path
    checkpoints: Path


def run_files(results: Path, job: Job) -> RunFiles:
    """The files of a job that trains."""
    name = job.training.name
    return RunFiles(
        log=results / "logs" / job.rule / f"{name}.log",
        checkpoints=results / "checkpoints" / name,
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


@dataclass(frozen=True)
class WorkflowOptions:
    """Options of a call of Snakemake.

    Attributes:
        snakefile: main file of the workflow; None for Snakemake's own choice.
        configfiles: files with changes to the default config.
        config: changes on the command line, each `key=value`.
        rerun_triggers: what makes a job run again; empty for Snakemake's own choice.
        targets: files or rules; empty for everything.
    """

    snakefile: Path | None = None
    configfiles: Sequence[Path] = ()
    config: Sequence[str] = ()
    rerun_triggers: Sequence[str] = ()
    targets: Sequence[str] = ()

    def check(self) -> None:
        """Check for mistakes that Snakemake would report with a traceback.

        Raises:
            UserError: a file is missing, or a change to the config has no value.
        """
        options = [("--configfile", file) for file in self.configfiles]
        if self.snakefile is not None:
            options.append(("--snakefile", self.snakefile))
        for option, file in options:
            if not file.is_file():
                raise UserError(f"{option}: {file} is not a file; correct its path")
        for change in self.config:
            if "=" not in change:
                raise UserError(f"--config: '{change}' has no value; write key=value")

    def arguments(self) -> list[str]:
        """The options as Snakemake's arguments, for its summary."""
        named = {
            "--snakefile": [] if self.snakefile is None else [str(self.snakefile)],
            "--configfile": list(map(str, self.configfiles)),
            "--config": list(self.config),
            "--rerun-triggers": list(self.rerun_triggers),
        }
        given = [word for name, words in named.items() if words for word in (name, *words)]
        return ["--summary", "--nolock", *given, "--", *self.targets]


@dataclass(frozen=True)
class StudyJobs:
    """A study and the jobs that its targets are made by.

    Attributes:
        study: of the workflow's config.
        jobs: finished or not.
        code: fingerprint of the code of an experiment's runs, by the experiment's name, and of
            general students, see `AgnosticRun.code_key`.
    """

    study: Study
    jobs: Sequence[Job]
    code: Mapping[str, str]


class Description(msgspec.Struct, frozen=True):
    """What a workflow says of itself, see workflow/rules/description.smk.

    Attributes:
        mistake: of the user, where there is one; the rest is empty then.
        config: merged of all files and options.
        outputs: numbers of files that a job of each rule makes.
        code: fingerprint of the code of an experiment's runs, by the experiment's name, and of
            general students, see `AgnosticRun.code_key`.
    """

    mistake: str = ""
    config: dict[str, object] = {}
    outputs: dict[str, int] = {}
    code: dict[str, str] = {}


def read_jobs(options: WorkflowOptions) -> StudyJobs:
    """The jobs of a study in the working directory, finished or not.

    Raises:
        UserError: there is no Snakemake, or it refuses the options, the config or the targets.
    """
    options.check()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "description.json"
        ended = subprocess.run(
            [*_snakemake(), *options.arguments()],
            env=os.environ | {DESCRIPTION: str(file)},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        found = file.read_bytes() if file.is_file() else b"{}"
    described = msgspec.json.decode(found, type=Description)
    if ended.returncode:
        raise UserError(described.mistake or _refusal(options, ended.stderr))
    if not described.config:
        raise UserError("--snakefile: this is not the workflow of internal-kd; name its Snakefile")
    return _study_jobs(described, ended.stdout)


def _study_jobs(described: Description, summary: str) -> StudyJobs:
    study = study_of(described.config)
    found = jobs_of_summary(summary.splitlines(), described.outputs, Path(study.results))
    return StudyJobs(study, list(found), described.code)


def _snakemake() -> list[str]:
    """How Snakemake is called: that of this Python, or one on the path."""
    if find_spec("snakemake") is not None:
        return [sys.executable, "-P", "-m", "snakemake"]
    program = shutil.which("snakemake")
    if program is None:
        raise UserError(
            "snakemake: not found in this environment; install it with "
            "'pip install -r requirements.lock'"
        )
    return [program]


def _refusal(options: WorkflowOptions, stderr: str) -> str:
    """One sentence with Snakemake's last line."""
    what = ", ".join(options.targets) or "the study"
    last = (stderr.strip().splitlines() or ["nothing"])[-1]
    message = reason(UserError(last.rstrip(".")))
    return f"{what} cannot be planned, Snakemake reports: {message}; run snakemake -n to see more"
