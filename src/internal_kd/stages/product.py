"""Stages that make tables and figures: what they are made from is checked and recorded."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

from internal_kd.expected_files import record_of
from internal_kd.manifests import write_manifest
from internal_kd.reporting.provenance import check
from internal_kd.stages.cli import run_stage


def run_product(
    module: str,
    add_arguments: Callable[[ArgumentParser], None],
    main: Callable[[Namespace], None],
) -> None:
    """Run a stage, see `run_stage`, whose remarks on its inputs join `note` of its settings.

    Args:
        module: full name of the stage's module.
        add_arguments: adds the stage's own arguments.
        main: does the work.
    """
    run_stage(module, lambda parser: _add_arguments(parser, add_arguments), _checked(main))


def _add_arguments(parser: ArgumentParser, add_arguments: Callable[[ArgumentParser], None]) -> None:
    add_arguments(parser)
    parser.add_argument("--expected", type=Path, help="what it should be made from")
    parser.add_argument("--files", type=Path, nargs="+", default=[], help="all that is written")


def _checked(main: Callable[[Namespace], None]) -> Callable[[Namespace], None]:
    def checked(args: Namespace) -> None:
        if args.expected is None:
            main(args)
            return
        record = record_of(args.expected)
        record.unlink(missing_ok=True)
        found = check(args.expected)
        job = {"settings": args.settings, "code": args.code}
        note = " ".join(filter(None, [args.settings.get("note", ""), *found.remarks]))
        args.settings = args.settings | {"note": note}
        main(args)
        write_manifest(record, args.files, {}, **job, **vars(found))

    return checked
