"""Stage `embedded`: the base model that ships with the project."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from internal_kd.embedded.base import export
from internal_kd.models.pretrained import load_encoder
from internal_kd.stages.base import check_layers
from internal_kd.stages.cli import run_stage


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--out", type=Path, required=True, help="folder to write")


def main(args: Namespace) -> None:
    """Write the base model; settings: layers."""
    export(args.out)
    check_layers(load_encoder(args.out), args.settings["layers"])


if __name__ == "__main__":
    run_stage("internal_kd.stages.embedded", add_arguments, main)
