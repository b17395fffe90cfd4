"""Job `student`: a student encoder cut from the base model."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from transformers import PreTrainedModel

from internal_kd.errors import UserError
from internal_kd.jobs.cli import Job, recorded
from internal_kd.jobs.files import Reads, Writes
from internal_kd.models.initialization import Initialization, initialize_student, source_layers
from internal_kd.models.loading import copy_tokenizer
from internal_kd.models.pretrained import load_encoder
from internal_kd.models.saved import difference
from internal_kd.streams import Streams


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files of the job."""

    base: Annotated[Path, Reads("folder of the base model")]
    out: Annotated[Path, Writes("folder of the student")]


@dataclass(frozen=True)
class Settings:
    """How a student is cut from the base model.

    Attributes:
        init: see `source_layers`.
        layers: of the student.
        task, seed: of the students that start like this, for a random start alone.
    """

    init: str | tuple[int, ...]
    layers: int
    task: str = ""
    seed: int = 0


def main(files: Files, settings: Settings) -> None:
    """Write the student."""
    base = load_encoder(files.base)
    init, layers = settings.init, settings.layers
    chosen = source_layers(init, base.config.num_hidden_layers, layers)
    student = initialize_student(base, init, layers, _seed(settings))
    _save(student, files.out, init, chosen)
    copy_tokenizer(files.base, files.out)
    mapping = {"init": init, "source_layers": chosen}
    (files.out / "mapping.json").write_text(json.dumps(mapping) + "\n", encoding="utf-8")


def _save(student: PreTrainedModel, out: Path, init: Initialization, chosen: Sequence[int]) -> None:
    """Write the student and read it again: layers may depend on the place where they stand."""
    student.save_pretrained(out)
    changed = difference(student, out)
    if changed is not None:
        raise UserError(
            f"init: {init}: {type(student).__name__} has layers that differ, and a student of the "
            f"layers {', '.join(map(str, chosen))} {changed}; in the experiments write init: lower "
            "or a list of layers that begins with 1, or use another base model"
        )


def _seed(settings: Settings) -> int:
    """Of layers that start from nothing; layers that are copied need none."""
    if settings.init != "random":
        return 0
    return Streams("student", settings.task, settings.seed).layers


JOB = Job(Files, Settings, recorded(main))
