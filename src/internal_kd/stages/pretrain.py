"""Stage `pretrain`: a base model pre-trained on the embedded language."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from internal_kd.embedded.pretraining import pretrain
from internal_kd.stages.cli import run_stage
from internal_kd.torch_setup import use_threads


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--out", type=Path, required=True, help="folder to write")


def main(args: Namespace) -> None:
    """Pre-train; settings are those of `pretraining` in the config."""
    use_threads()
    pretrain(args.settings, args.out)


if __name__ == "__main__":
    run_stage("internal_kd.stages.pretrain", add_arguments, main)
