"""Stage `table4`: Table 4, texts on which one student alone is wrong."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from internal_kd.reporting.table4 import write_table4
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
        "--examples",
        type=Path,
        nargs="+",
        required=True,
        help="data/{task}/examples.parquet of every task",
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="table to write; .md and .tex come beside it"
    )


def main(args: Namespace) -> None:
    """Write the table; settings: study, note, tasks, teacher, standard, internal, examples, seed,
    student_seed.
    """
    write_table4(args.runs, args.examples, args.settings, args.out)


if __name__ == "__main__":
    run_product("internal_kd.stages.table4", add_arguments, main)
