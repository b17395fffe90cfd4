"""Stage `product`: write a table, statistic or figure, whose inputs are checked and recorded."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Protocol

from internal_kd.expected_files import record_of
from internal_kd.manifests import write_manifest
from internal_kd.reporting.provenance import check
from internal_kd.stages.cli import run_stage

# In the order in which the functions take them, before settings and file.
INPUTS = ("runs", "distances", "examples", "maps")


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
    """Write it; the settings are those of the function."""
    inputs = [value for name in INPUTS if (value := getattr(args, name)) is not None]
    write = _function(args.function)
    write_recorded(args, lambda settings: write(*inputs, settings, args.out))


def add_record_arguments(parser: ArgumentParser) -> None:
    """Arguments that a recorded product needs."""
    parser.add_argument("--expected", type=Path, help="what it should be made from")
    parser.add_argument("--files", type=Path, nargs="+", default=[], help="all that is written")


def write_recorded(args: Namespace, write: Callable[[dict[str, object]], None]) -> None:
    """Write a product and its manifest; remarks on its inputs join `note` of its settings."""
    if args.expected is None:
        write(args.settings)
        return
    record = record_of(args.expected)
    record.unlink(missing_ok=True)
    found = check(args.expected)
    note = " ".join(filter(None, [args.settings.get("note", ""), *found.remarks]))
    write(args.settings | {"note": note})
    write_manifest(
        record,
        args.files,
        {},
        settings=args.settings,
        code=args.code,
        remarks=found.remarks,
        expected=found.expected,
        stamp=found.stamp,
        state=found.state,
    )


class Product(Protocol):
    """A function of `internal_kd.reporting` that writes a table, statistic or figure."""

    def __call__(self, *arguments: object) -> None:
        """Write it, from its inputs, its settings and the file to write."""
        ...


def _function(name: str) -> Product:
    module, _, function = name.partition(":")
    found: Product = getattr(import_module(_module(module)), function)
    return found


def _module(name: str) -> str:
    return f"internal_kd.reporting.{name}"


def _modules(args: Namespace) -> tuple[str, ...]:
    return (_module(args.function.partition(":")[0]),)


if __name__ == "__main__":
    run_stage("internal_kd.stages.product", add_arguments, main, more_code=_modules)
