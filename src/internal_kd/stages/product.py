"""Stage `product`: write a table, statistic or figure, whose inputs are checked and recorded."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TypeVar, get_type_hints

from internal_kd.expected_files import record_of
from internal_kd.manifests import write_manifest
from internal_kd.reporting.provenance import check
from internal_kd.specs.jobs import decode
from internal_kd.specs.reports import ReportSettings
from internal_kd.stages.cli import run_stage

# In the order in which the functions take them, before settings and file.
INPUTS = ("runs", "distances", "examples", "maps")

Settings = TypeVar("Settings", bound=ReportSettings)


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage; what is made decides which inputs it needs."""
    parser.add_argument(
        "function", help="module below internal_kd.reporting and function, as table1:write_table1"
    )
    parser.add_argument("--runs", type=Path, nargs="+", help="folders of runs")
    parser.add_argument(
        "--distances", type=Path, nargs="+", help="distances of students from their teachers"
    )
    parser.add_argument("--examples", type=Path, nargs="+", help="data/{task}/examples.parquet")
    parser.add_argument("--maps", type=Path, help="attention maps of an example")
    parser.add_argument(
        "--out", type=Path, required=True, help="file to write; its other forms come beside it"
    )
    add_record_arguments(parser)


def main(args: Namespace) -> None:
    """Write it; settings: of the type that the function's parameter `settings` has."""
    inputs = [value for name in INPUTS if (value := getattr(args, name)) is not None]
    write = _function(args.function)
    settings: ReportSettings = decode(args.settings, get_type_hints(write)["settings"])
    write_recorded(args, settings, lambda settings: write(*inputs, settings, args.out))


def add_record_arguments(parser: ArgumentParser) -> None:
    """Arguments that a recorded product needs."""
    parser.add_argument("--expected", type=Path, help="what it should be made from")
    parser.add_argument("--files", type=Path, nargs="+", default=[], help="all that is written")


def write_recorded(args: Namespace, settings: Settings, write: Callable[[Settings], None]) -> None:
    """Write a product and its manifest; remarks on its inputs join `note` of its settings."""
    if args.expected is None:
        write(settings)
        return
    record = record_of(args.expected)
    record.unlink(missing_ok=True)
    found = check(args.expected)
    job = {"settings": args.settings, "code": args.code}
    note = " ".join(filter(None, [settings.note, *found.remarks]))
    write(replace(settings, note=note))
    write_manifest(record, args.files, {}, **job, **vars(found))


def _function(name: str) -> Callable[..., None]:
    module, _, function = name.partition(":")
    found: Callable[..., None] = getattr(import_module(_module(module)), function)
    return found


def _module(name: str) -> str:
    return f"internal_kd.reporting.{name}"


def _modules(args: Namespace) -> tuple[str, ...]:
    return (_module(args.function.partition(":")[0]),)


if __name__ == "__main__":
    run_stage("internal_kd.stages.product", add_arguments, main, more_code=_modules)
