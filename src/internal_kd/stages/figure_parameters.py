"""Stage `figure_parameters`: score against number of parameters (Figures 2, 6, 7 and 8)."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from internal_kd.reporting.figures.parameters import write_parameters
from internal_kd.stages.product import run_product


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--runs", type=Path, nargs="+", required=True, help="folder of every run")
    parser.add_argument(
        "--out", type=Path, required=True, help="data to write as .csv; .pdf and .png come beside"
    )


def main(args: Namespace) -> None:
    """Draw it; settings: study, note, task, teacher, standard, internal."""
    write_parameters(args.runs, args.settings, args.out)


if __name__ == "__main__":
    run_product("internal_kd.stages.figure_parameters", add_arguments, main)
