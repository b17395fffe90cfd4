"""Stage `readings`: other readings of the paper against the ones taken."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from internal_kd.reporting.readings import write_readings
from internal_kd.stages.product import run_product


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument(
        "--runs",
        type=Path,
        nargs="+",
        required=True,
        help="folders of the runs of all readings and of what they are readings of",
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="table to write; .md and .tex come beside it"
    )


def main(args: Namespace) -> None:
    """Write the table; settings: study, note, tasks, readings, confidence, resamples, seed."""
    write_readings(args.runs, args.settings, args.out)


if __name__ == "__main__":
    run_product("internal_kd.stages.readings", add_arguments, main)
