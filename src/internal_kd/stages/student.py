"""Stage `student`: a student encoder cut from the base model."""

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from internal_kd.models.initialization import initialize_student, source_layers
from internal_kd.models.loading import copy_tokenizer
from internal_kd.models.pretrained import load_encoder
from internal_kd.stages.cli import run_stage
from internal_kd.streams import Streams


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--base", type=Path, required=True, help="folder of the base model")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")


def main(args: Namespace) -> None:
    """Write the student; settings: init, layers and, for a random start, task and seed."""
    base = load_encoder(args.base)
    init, layers = args.settings["init"], args.settings["layers"]
    chosen = source_layers(init, base.config.num_hidden_layers, layers)
    student = initialize_student(base, init, layers, _seed(args.settings))
    student.save_pretrained(args.out)
    copy_tokenizer(args.base, args.out)
    mapping = {"init": init, "source_layers": chosen}
    (args.out / "mapping.json").write_text(json.dumps(mapping) + "\n")


def _seed(settings: dict[str, Any]) -> int:
    """Of layers that start from nothing; layers that are copied need none."""
    if settings["init"] != "random":
        return 0
    return Streams("student", settings["task"], settings["seed"]).layers


if __name__ == "__main__":
    run_stage("internal_kd.stages.student", add_arguments, main)
