"""Stage `figure_calibration`: confidence against accuracy of teacher and students."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from internal_kd.reporting.figures.calibration import write_calibration
from internal_kd.stages.product import run_product


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--runs", type=Path, nargs="+", required=True, help="folder of every run")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="bins to write as .csv; .pdf, .png and _summary.csv come beside",
    )


def main(args: Namespace) -> None:
    """Draw it; settings: study, note, tasks, experiments."""
    write_calibration(args.runs, args.settings, args.out)


if __name__ == "__main__":
    run_product("internal_kd.stages.figure_calibration", add_arguments, main)
