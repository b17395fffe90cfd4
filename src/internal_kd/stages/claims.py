"""Stage `claims`: the paper's claims, checked on the runs of a study."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from internal_kd.reporting.claims.write import write_claims
from internal_kd.stages.product import run_product


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument(
        "--runs",
        type=Path,
        nargs="+",
        required=True,
        help="folders of the runs of Table 1 and of both sweeps",
    )
    parser.add_argument(
        "--distances",
        type=Path,
        nargs="*",
        default=[],
        help="distances of students from their teachers",
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="table to write; .md comes beside it"
    )


def main(args: Namespace) -> None:
    """Write the claims; settings: study, note, tasks, rows, standard, internal, sweep_layers,
    sweep_sizes, student_layers, confidence, resamples, seed, margin.
    """
    write_claims(args.runs, args.distances, args.settings, args.out)


if __name__ == "__main__":
    run_product("internal_kd.stages.claims", add_arguments, main)
