"""Job `pretrain`: a base model pre-trained anew on the embedded language."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from internal_kd.embedded.pretraining import Settings, pretrain
from internal_kd.jobs.cli import Job, recorded
from internal_kd.jobs.files import Writes
from internal_kd.torch_setup import use_threads


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files of the job."""

    out: Annotated[Path, Writes("folder of the base model")]


def main(files: Files, settings: Settings) -> None:
    """Pre-train; settings are those of `pretraining` in the config."""
    use_threads()
    pretrain(settings, files.out)


JOB = Job(Files, Settings, recorded(main))
