"""Stage `attention`: how far a student's layers are from its teacher's, example by example."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from internal_kd.evaluation.attention import compare
from internal_kd.evaluation.attention_distances import write_distances
from internal_kd.evaluation.trained import load_split, load_trained
from internal_kd.stages.cli import run_stage
from internal_kd.torch_setup import select_device, use_threads

INPUTS = ("teacher", "student", "data")


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--teacher", type=Path, required=True, help="folder of the teacher's run")
    parser.add_argument("--student", type=Path, required=True, help="folder of the student's run")
    parser.add_argument("--data", type=Path, required=True, help="tokens of the task")
    parser.add_argument("--out", type=Path, required=True, help="distances to write, as Parquet")


def main(args: Namespace) -> None:
    """Compare the two models; settings: split."""
    use_threads()
    device = select_device()
    tokens = load_split(args.data, args.settings["split"])
    teacher, student = (load_trained(folder, device) for folder in (args.teacher, args.student))
    write_distances(args.out, student.run, compare(teacher, student, tokens))


if __name__ == "__main__":
    run_stage("internal_kd.stages.attention", add_arguments, main, inputs=INPUTS)
