"""Stage `index`: a page that shows every table and figure of a study."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from internal_kd.reporting.index.write import write_index
from internal_kd.specs.index import IndexSettings
from internal_kd.specs.jobs import decode
from internal_kd.stages.cli import run_stage
from internal_kd.stages.product import add_record_arguments, write_recorded


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument(
        "--captions", type=Path, nargs="+", required=True, help=".rst files of plain paragraphs"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="page to write; tables alone go to pages/ beside it"
    )
    add_record_arguments(parser)


def main(args: Namespace) -> None:
    """Write the pages; settings: `IndexSettings`."""
    settings = decode(args.settings, IndexSettings)
    write_recorded(args, settings, lambda settings: write_index(settings, args.captions, args.out))


if __name__ == "__main__":
    run_stage("internal_kd.stages.index", add_arguments, main)
