"""Stage `figure_data_size`: score against training size (Figures 3 and 9)."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from internal_kd.reporting.figures.data_size import write_data_size
from internal_kd.stages.product import run_product


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--runs", type=Path, nargs="+", required=True, help="folder of every run")
    parser.add_argument(
        "--out", type=Path, required=True, help="data to write as .csv; .pdf and .png come beside"
    )


def main(args: Namespace) -> None:
    """Draw it; settings: study, note, task, layers, teacher, standard, internal."""
    write_data_size(args.runs, args.settings, args.out)


if __name__ == "__main__":
    run_product("internal_kd.stages.figure_data_size", add_arguments, main)
