"""Stage `table2`: Table 2 from the runs of Table 1."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from internal_kd.reporting.table2 import write_table2
from internal_kd.stages.product import run_product


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument(
        "--runs", type=Path, nargs="+", required=True, help="folder of every run of Table 1"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="table to write; .md and .tex come beside it"
    )


def main(args: Namespace) -> None:
    """Write the table; settings: study, note, tasks, teacher, standard, candidates, with_paper."""
    write_table2(args.runs, args.settings, args.out)


if __name__ == "__main__":
    run_product("internal_kd.stages.table2", add_arguments, main)
