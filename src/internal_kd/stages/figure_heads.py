"""Stage `figure_heads`: one head of all layers on one example (Figure 11)."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from internal_kd.reporting.figures.heads import write_heads
from internal_kd.stages.product import run_product


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--maps", type=Path, required=True, help="attention maps of the example")
    parser.add_argument(
        "--out", type=Path, required=True, help="data to write as .csv; .pdf and .png come beside"
    )


def main(args: Namespace) -> None:
    """Draw it; settings: study, note, task, head, teacher, standard, internal."""
    write_heads(args.maps, args.settings, args.out)


if __name__ == "__main__":
    run_product("internal_kd.stages.figure_heads", add_arguments, main)
