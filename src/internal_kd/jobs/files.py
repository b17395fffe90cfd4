"""The files of a job: declared as fields of a dataclass, given as options of its command.

Each field is annotated with a type and a mark, such as `Annotated[Path, Reads("the base model")]`.
The types are those of `Option`; a field with a default need not be given.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from types import NoneType, UnionType
from typing import TypeVar, get_args, get_origin, get_type_hints

Files = TypeVar("Files")


@dataclass(frozen=True)
class Option:
    """Something that a job is given: a path, text or number, or a tuple of them.

    Attributes:
        help: what it is.
    """

    help: str


class Reads(Option):
    """A file or folder that a job reads, or several; recorded in its manifest."""


class Writes(Option):
    """A file or folder that a job writes, or several; recorded in its manifest."""


def add_options(parser: ArgumentParser, kind: type) -> None:
    """Add an option for each field of a dataclass of files."""
    for field, given, mark in _declared(kind):
        word, many = _word(given)
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            dest=field.name,
            type=word,
            nargs="+" if many else None,
            required=field.default is MISSING,
            default=None if field.default is MISSING else field.default,
            help=mark.help,
        )


def files_of(kind: type[Files], args: Namespace) -> Files:
    """The files that a command line names."""
    given = {field.name: getattr(args, field.name) for field, _, _ in _declared(kind)}
    return kind(
        **{
            name: tuple(value) if isinstance(value, list) else value
            for name, value in given.items()
        }
    )


def paths_of(files: object, mark: type[Option]) -> list[Path]:
    """All paths that are marked so, in the order of the fields."""
    values = (
        getattr(files, field.name)
        for field, _, found in _declared(type(files))
        if isinstance(found, mark)
    )
    return [path for value in values for path in _flat(value)]


def _flat(value: Path | tuple[Path, ...] | None) -> tuple[Path, ...]:
    return value if isinstance(value, tuple) else () if value is None else (value,)


def _declared(kind: type) -> Iterator[tuple[Field[object], object, Option]]:
    """Fields of a dataclass, each with its type and its mark."""
    hints = get_type_hints(kind, include_extras=True)
    for field in fields(kind):
        given, mark = get_args(hints[field.name])
        yield field, given, mark


def _word(given: object) -> tuple[type, bool]:
    """The type of one word on the command line, and whether several are taken."""
    if isinstance(given, UnionType):
        given = next(part for part in get_args(given) if part is not NoneType)
    many = get_origin(given) is tuple
    word = get_args(given)[0] if many else given
    assert isinstance(word, type)
    return word, many
