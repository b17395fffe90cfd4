"""Stage `student`: a student encoder cut from the base model."""

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from internal_kd.models.initialization import initialize_student, source_layers
from internal_kd.models.loading import copy_tokenizer
from internal_kd.models.pretrained import load_encoder
from internal_kd.stages.cli import run_stage


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--base", type=Path, required=True, help="folder of the base model")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")


def main(args: Namespace) -> None:
    """Write the student; settings: init, layers, seed."""
    base = load_encoder(args.base)
    init, layers = args.settings["init"], args.settings["layers"]
    chosen = source_layers(init, base.config.num_hidden_layers, layers)
    student = initialize_student(base, init, layers, args.settings.get("seed", 0))
    student.save_pretrained(args.out)
    copy_tokenizer(args.base, args.out)
    mapping = {"init": init, "source_layers": chosen}
    (args.out / "mapping.json").write_text(json.dumps(mapping) + "\n")


if __name__ == "__main__":
    run_stage("internal_kd.stages.student", add_arguments, main)
