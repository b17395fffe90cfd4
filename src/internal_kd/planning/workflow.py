"""Snakemake's view of a study, obtained from outside of the workflow.

Which jobs there are and which of them are up to date depends on code, settings, inputs and options:
Snakemake decides it, and computing it a second time would sooner or later differ. So Snakemake is
called once, with the user's own options, for its summary. It takes no lock and executes nothing.
The workflow also writes down the config that it has made of all config files and options.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from internal_kd.errors import UserError, reason
from internal_kd.planning.jobs import Job, jobs_of_summary
from internal_kd.study.config import Study, study_of
from internal_kd.study.description import DESCRIPTION


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
        code: fingerprint of the code of an experiment's runs, by the experiment's name.
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
        code: fingerprint of the code of an experiment's runs, by the experiment's name.
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
