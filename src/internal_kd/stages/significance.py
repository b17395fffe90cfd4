"""Stage `significance`: tests of every internal KD against standard KD."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from internal_kd.reporting.significance import write_significance
from internal_kd.stages.product import run_product


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument(
        "--runs",
        type=Path,
        nargs="+",
        required=True,
        help="folders of the runs of every internal KD and of what they are compared with",
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="table to write; .md and .tex come beside it"
    )


def main(args: Namespace) -> None:
    """Write the tests; settings: study, note, tasks, standard, internal, candidates, teachers,
    confidence, resamples, seed.
    """
    write_significance(args.runs, args.settings, args.out)


if __name__ == "__main__":
    run_product("internal_kd.stages.significance", add_arguments, main)
