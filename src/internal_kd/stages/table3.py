"""Stage `table3`: Table 3, where students are right or wrong when the teacher is."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from internal_kd.reporting.table3 import write_table3
from internal_kd.stages.product import run_product


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument(
        "--runs",
        type=Path,
        nargs="+",
        required=True,
        help="folders of the runs of the teacher and of both students",
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="table to write; .md and .tex come beside it"
    )


def main(args: Namespace) -> None:
    """Write the table; settings: study, note, tasks, teacher, standard, internal, with_paper,
    confidence.
    """
    write_table3(args.runs, args.settings, args.out)


if __name__ == "__main__":
    run_product("internal_kd.stages.table3", add_arguments, main)
