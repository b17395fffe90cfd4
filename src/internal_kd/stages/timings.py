"""Stage `timings`: print how long a study's jobs took, by rule."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from internal_kd.reporting.timings import timings_markdown
from internal_kd.stages.cli import run_stage


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--benchmarks", type=Path, required=True, help="such as results/benchmarks")


def main(args: Namespace) -> None:
    """Print the table; there are no settings."""
    print(timings_markdown(args.benchmarks))


if __name__ == "__main__":
    run_stage("internal_kd.stages.timings", add_arguments, main)
