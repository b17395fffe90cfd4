"""Stage `figure_convergence`: development scores after each epoch (Figures 4 and 10)."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from internal_kd.reporting.figures.convergence import write_convergence
from internal_kd.stages.product import run_product


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--runs", type=Path, nargs="+", required=True, help="folder of every run")
    parser.add_argument(
        "--out", type=Path, required=True, help="data to write as .csv; .pdf and .png come beside"
    )


def main(args: Namespace) -> None:
    """Draw it; settings: study, note, task, teacher, experiments."""
    write_convergence(args.runs, args.settings, args.out)


if __name__ == "__main__":
    run_product("internal_kd.stages.figure_convergence", add_arguments, main)
