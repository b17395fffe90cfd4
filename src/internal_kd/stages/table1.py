"""Stage `table1`: Table 1 from the metrics of all its runs."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from internal_kd.reporting.table1 import write_table1
from internal_kd.stages.cli import run_stage


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument(
        "--metrics", type=Path, nargs="+", required=True, help="metrics.json of every run"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="table to write; .md and .tex come beside it"
    )


def main(args: Namespace) -> None:
    """Write the table; settings: study, experiments, tasks, with_paper, note."""
    write_table1(args.metrics, args.settings, args.out)


if __name__ == "__main__":
    run_stage("internal_kd.stages.table1", add_arguments, main)
