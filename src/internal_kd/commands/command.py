"""What commands have in common: the options of the workflow, and reports of a user's mistakes."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from pathlib import Path

from internal_kd.errors import UserError, printable
from internal_kd.planning.workflow import WorkflowOptions

USER_ERROR = 2


def run_command(
    parser: ArgumentParser, main: Callable[[Namespace], str], argv: Sequence[str]
) -> int:
    """Parse arguments, run `main` and print the text that it returns.

    Returns:
        The exit status: 2 for a user's mistake, which is reported in one sentence.
    """
    args = parser.parse_args(argv)
    try:
        text = main(args)
    except UserError as error:
        for mistake in str(error).splitlines():
            print(f"error: {printable(mistake)}", file=sys.stderr)
        return USER_ERROR
    if isinstance(sys.stdout, TextIOWrapper):  # a locale may not have some characters
        sys.stdout.reconfigure(errors="backslashreplace")
    print(text)
    return 0


def study_parser(name: str, description: str) -> ArgumentParser:
    """A parser with the options of Snakemake that say which study it is."""
    parser = ArgumentParser(prog=f"internal-kd {name}", description=description)
    parser.add_argument(
        "targets", nargs="*", default=[], help="files or rules, after --; default: everything"
    )
    parser.add_argument("--snakefile", "-s", type=Path, help="main file of the workflow")
    parser.add_argument(
        "--configfile",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="files with changes to the default config, as in Snakemake",
    )
    parser.add_argument(
        "--config",
        "-C",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        help="changes to the config, as in Snakemake",
    )
    parser.add_argument(
        "--rerun-triggers",
        nargs="+",
        default=[],
        metavar="TRIGGER",
        help="what makes a job run again, as in Snakemake",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def workflow_options(args: Namespace) -> WorkflowOptions:
    """The options that `study_parser` has read."""
    return WorkflowOptions(
        args.snakefile, args.configfile, args.config, args.rerun_triggers, args.targets
    )
