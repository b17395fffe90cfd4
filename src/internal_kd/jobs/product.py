"""Job `product`: write a table, statistic or figure, whose inputs are checked and recorded."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Annotated, Protocol, TypeVar, get_type_hints

from internal_kd.expected_files import record_of
from internal_kd.jobs.cli import Call, Job
from internal_kd.jobs.files import Option, Reads, Writes
from internal_kd.manifests import write_manifest
from internal_kd.reporting.provenance import check
from internal_kd.specs.jobs import decode
from internal_kd.specs.reports import ReportSettings

# In the order in which the functions take them, before settings and file.
INPUTS = ("runs", "distances", "examples", "maps")

Settings = TypeVar("Settings", bound=ReportSettings)


@dataclass(frozen=True, kw_only=True)
class ProductFiles:
    """Files of all products that are recorded."""

    expected: Annotated[Path | None, Option("what it should be made from")] = None
    files: Annotated[tuple[Path, ...], Option("all that is written")] = ()


@dataclass(frozen=True, kw_only=True)
class Files(ProductFiles):
    """Files of the job; what is made decides which inputs it needs."""

    function: Annotated[
        str, Option("module below internal_kd.reporting and function, as table1:write_table1")
    ]
    runs: Annotated[tuple[Path, ...] | None, Reads("folders of runs")] = None
    distances: Annotated[
        tuple[Path, ...] | None, Reads("distances of students from their teachers")
    ] = None
    examples: Annotated[tuple[Path, ...] | None, Reads("data/{task}/examples.parquet")] = None
    maps: Annotated[Path | None, Reads("attention maps of an example")] = None
    out: Annotated[Path, Writes("file; its other forms come beside it")]


def main(files: Files, settings: dict[str, object], call: Call[Files]) -> None:
    """Write it; the settings are of the type that the function's parameter `settings` has."""
    write = _function(files.function)
    hints = get_type_hints(write)
    if files.distances is None and "distances" in hints:  # students that cannot be compared
        files = replace(files, distances=())
    inputs = [value for name in INPUTS if (value := getattr(files, name)) is not None]
    decoded: ReportSettings = decode(settings, hints["settings"])
    write_recorded(call, decoded, lambda final: write(*inputs, final, files.out))


def write_recorded(
    call: Call[ProductFiles], settings: Settings, write: Callable[[Settings], None]
) -> None:
    """Write a product and its manifest; remarks on its inputs join `note` of its settings."""
    files = call.files
    if files.expected is None:
        write(settings)
        return
    record = record_of(files.expected)
    record.unlink(missing_ok=True)
    found = check(files.expected)
    note = " ".join(filter(None, [settings.note, *found.remarks]))
    write(replace(settings, note=note))
    write_manifest(
        record,
        files.files,
        {},
        settings=call.settings,
        code=call.code,
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


def _modules(call: Call[Files]) -> tuple[str, ...]:
    return (_module(call.files.function.partition(":")[0]),)


JOB = Job(Files, dict[str, object], main, more_code=_modules)
