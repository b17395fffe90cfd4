"""Job `attention`: how far a student's layers are from its teacher's, example by example."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from internal_kd.evaluation.attention import compare
from internal_kd.evaluation.attention_distances import write_distances
from internal_kd.evaluation.trained import load_split, load_trained
from internal_kd.jobs.cli import Job, recorded
from internal_kd.jobs.files import Reads, Writes
from internal_kd.torch_setup import select_device, use_threads


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files of the job."""

    teacher: Annotated[Path, Reads("folder of the teacher's run")]
    student: Annotated[Path, Reads("folder of the student's run")]
    data: Annotated[Path, Reads("tokens of the task")]
    out: Annotated[Path, Writes("distances, as Parquet")]


@dataclass(frozen=True)
class Settings:
    """Name of the split that both models read."""

    split: str


def main(files: Files, settings: Settings) -> None:
    """Compare the two models."""
    use_threads()
    device = select_device()
    tokens = load_split(files.data, settings.split)
    teacher, student = (load_trained(folder, device) for folder in (files.teacher, files.student))
    write_distances(files.out, student.run, compare(teacher, student, tokens))


JOB = Job(Files, Settings, recorded(main))
