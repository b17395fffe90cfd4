"""Stage `student`: a student encoder cut from the base model."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from transformers import PreTrainedModel

from internal_kd.errors import UserError
from internal_kd.models.initialization import Initialization, initialize_student, source_layers
from internal_kd.models.loading import copy_tokenizer
from internal_kd.models.pretrained import load_encoder
from internal_kd.models.saved import difference
from internal_kd.stages.cli import run_stage
from internal_kd.streams import Streams


@dataclass(frozen=True)
class InitialStudent:
    """The settings of the stage: what the layers start from, and how many there are.

    Attributes:
        init: see `models.initialization.source_layers`.
        layers: of the student.
        task: of a student that starts at random, which has a start for each task and seed.
        seed: of such a student.
    """

    init: str | tuple[int, ...]
    layers: int
    task: str = ""
    seed: int = 0


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--base", type=Path, required=True, help="folder of the base model")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")


def main(args: Namespace) -> None:
    """Write the student; settings: an `InitialStudent`."""
    settings = msgspec.convert(args.settings, InitialStudent)
    base = load_encoder(args.base)
    init, layers = settings.init, settings.layers
    chosen = source_layers(init, base.config.num_hidden_layers, layers)
    student = initialize_student(base, init, layers, _seed(settings))
    _save(student, args.out, init, chosen)
    copy_tokenizer(args.base, args.out)
    mapping = {"init": init, "source_layers": chosen}
    (args.out / "mapping.json").write_text(json.dumps(mapping) + "\n", encoding="utf-8")


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


def _seed(settings: InitialStudent) -> int:
    """Of layers that start from nothing; layers that are copied need none."""
    if settings.init != "random":
        return 0
    return Streams("student", settings.task, settings.seed).layers


if __name__ == "__main__":
    run_stage("internal_kd.stages.student", add_arguments, main, inputs=("base",))
