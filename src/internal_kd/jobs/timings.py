"""Job `timings`: print how long a study's jobs took, by rule."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from internal_kd.jobs.cli import Job, recorded
from internal_kd.jobs.files import Reads
from internal_kd.reporting.timings import timings_markdown


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files of the job."""

    benchmarks: Annotated[Path, Reads("folder of benchmarks, such as results/benchmarks")]


@dataclass(frozen=True)
class Settings:
    """There are none."""


def main(files: Files, settings: Settings) -> None:
    """Print the table."""
    print(timings_markdown(files.benchmarks))


JOB = Job(Files, Settings, recorded(main))
