"""Stage `attention_maps`: attention of a teacher and two students on one example."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from internal_kd.evaluation.attention import maps_of_example
from internal_kd.evaluation.attention_maps import save_maps
from internal_kd.evaluation.trained import load_split, load_trained
from internal_kd.stages.cli import run_stage
from internal_kd.torch_setup import select_device, use_threads

ROLES = ("teacher", "standard", "internal")


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    for role in ROLES:
        parser.add_argument(f"--{role}", type=Path, required=True, help=f"folder of the {role} run")
    parser.add_argument("--data", type=Path, required=True, help="tokens of the task")
    parser.add_argument("--out", type=Path, required=True, help="maps to write, as .npz")


def main(args: Namespace) -> None:
    """Show the example to the three models; settings: example, split."""
    use_threads()
    device = select_device()
    tokens = load_split(args.data, args.settings["split"])
    folders = [getattr(args, role) for role in ROLES]
    teacher, standard, internal = (load_trained(folder, device) for folder in folders)
    maps = maps_of_example(teacher, standard, internal, tokens, args.settings["example"])
    save_maps(args.out, maps)


if __name__ == "__main__":
    run_stage("internal_kd.stages.attention_maps", add_arguments, main, inputs=(*ROLES, "data"))
