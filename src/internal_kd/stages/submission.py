"""Stage `submission`: zips for the GLUE server from the runs of Table 1."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from internal_kd.reporting.submission import write_submissions
from internal_kd.stages.product import run_product


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument(
        "--runs", type=Path, nargs="+", required=True, help="folder of every run of Table 1"
    )
    parser.add_argument(
        "--examples",
        type=Path,
        nargs="+",
        required=True,
        help="data/{task}/examples.parquet of every task",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="zip of the best internal distillation; those of teacher and standard distillation, "
        "and a page (.md), come beside it",
    )


def main(args: Namespace) -> None:
    """Write the zips; settings: study, note, tasks, teacher, standard, candidates, official."""
    write_submissions(args.runs, args.examples, args.settings, args.out)


if __name__ == "__main__":
    run_product("internal_kd.stages.submission", add_arguments, main)
