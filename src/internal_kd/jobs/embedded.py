"""Job `embedded`: the base model that ships with the project."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from internal_kd.embedded.base import export
from internal_kd.jobs.base import check_layers
from internal_kd.jobs.cli import Job, recorded
from internal_kd.jobs.files import Writes
from internal_kd.models.pretrained import load_encoder


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files of the job."""

    out: Annotated[Path, Writes("folder of the base model")]


@dataclass(frozen=True)
class Settings:
    """Layers that the config says the model has."""

    layers: int


def main(files: Files, settings: Settings) -> None:
    """Write the base model."""
    export(files.out)
    check_layers(load_encoder(files.out), settings.layers)


JOB = Job(Files, Settings, recorded(main))
