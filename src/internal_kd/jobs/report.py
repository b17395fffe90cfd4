"""Job `report`: Snakemake's report of a study, from within the running workflow."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from internal_kd.jobs.cli import Job, recorded
from internal_kd.jobs.files import Option, Reads, Writes
from internal_kd.reporting.snakemake_report import write_report

PYTHON = os.environ.get("INTERNAL_KD_PYTHON", sys.executable)


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files of the job."""

    snakefile: Annotated[Path, Reads("main file of the workflow")]
    python: Annotated[str, Option("the Python that the workflow runs in")] = PYTHON
    targets: Annotated[tuple[str, ...], Option("files whose results the report shows")]
    out: Annotated[Path, Writes("report, .zip or .html")]


@dataclass(frozen=True)
class Settings:
    """What a second Snakemake needs.

    Attributes:
        config: the merged config of the running workflow.
    """

    config: dict[str, object]


def main(files: Files, settings: Settings) -> None:
    """Write the report."""
    write_report(settings.config, files.snakefile, files.targets, files.out, files.python)


JOB = Job(Files, Settings, recorded(main))
