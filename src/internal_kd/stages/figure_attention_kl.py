"""Stage `figure_attention_kl`: distances of both students from the teacher on all examples."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from internal_kd.reporting.figures.attention_kl import write_attention_kl
from internal_kd.stages.product import run_product


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument(
        "--distances", type=Path, nargs="+", required=True, help="distances of every student"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="data to write as .csv; .pdf and .png come beside"
    )


def main(args: Namespace) -> None:
    """Draw it; settings: study, note, tasks, standard, internal."""
    write_attention_kl(args.distances, args.settings, args.out)


if __name__ == "__main__":
    run_product("internal_kd.stages.figure_attention_kl", add_arguments, main)
