"""Stage `report`: Snakemake's report of a study, from within the running workflow."""

import os
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from internal_kd.reporting.snakemake_report import write_report
from internal_kd.stages.cli import run_stage


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--snakefile", type=Path, required=True, help="main file of the workflow")
    parser.add_argument(
        "--python",
        default=os.environ.get("INTERNAL_KD_PYTHON", sys.executable),
        help="the Python that the workflow runs in",
    )
    parser.add_argument(
        "--targets", nargs="+", required=True, help="files whose results the report shows"
    )
    parser.add_argument("--out", type=Path, required=True, help="report to write, .zip or .html")


def main(args: Namespace) -> None:
    """Write the report; settings: config, the merged config of the running workflow."""
    write_report(args.settings["config"], args.snakefile, args.targets, args.out, args.python)


if __name__ == "__main__":
    run_stage("internal_kd.stages.report", add_arguments, main)
