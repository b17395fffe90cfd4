"""Job `attention_maps`: attention of a teacher and two students on one example."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from internal_kd.evaluation.attention import maps_of_example
from internal_kd.evaluation.attention_maps import save_maps
from internal_kd.evaluation.trained import load_split, load_trained
from internal_kd.jobs.cli import Job, recorded
from internal_kd.jobs.files import Reads, Writes
from internal_kd.torch_setup import select_device, use_threads


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files of the job."""

    teacher: Annotated[Path, Reads("folder of the teacher's run")]
    standard: Annotated[Path, Reads("folder of the standard KD run")]
    internal: Annotated[Path, Reads("folder of the internal KD run")]
    data: Annotated[Path, Reads("tokens of the task")]
    out: Annotated[Path, Writes("maps, as .npz")]


@dataclass(frozen=True)
class Settings:
    """An example: number of its row in a split."""

    example: int
    split: str


def main(files: Files, settings: Settings) -> None:
    """Show the example to the three models."""
    use_threads()
    device = select_device()
    tokens = load_split(files.data, settings.split)
    folders = (files.teacher, files.standard, files.internal)
    teacher, standard, internal = (load_trained(folder, device) for folder in folders)
    maps = maps_of_example(teacher, standard, internal, tokens, settings.example)
    save_maps(files.out, maps)


JOB = Job(Files, Settings, recorded(main))
