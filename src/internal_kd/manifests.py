"""What a job records beside its files: which they are, what they were made from, and by what.

A manifest is one JSON file. Paths in it are relative to its folder, so that a results folder can be
moved. Files are identified by a hash of their content; large ones whose size and time of change are
those that the job left count as unchanged without being read again.
"""

import hashlib
import json
import os
import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Required, TypedDict, Unpack

import msgspec

from internal_kd.errors import UserError

NAME = "manifest.json"
PACKAGES = ("torch", "transformers")
ALWAYS_READ = 16 * 2**20  # bytes; larger files are read again only if size or time have changed


@dataclass(frozen=True)
class FileMark:
    """A file as its job left it: hash of its content, bytes, and time of change in nanoseconds."""

    hash: str
    size: int
    time: int


class LiveTeacher(msgspec.Struct, frozen=True, tag_field="source", tag="live"):
    """The teacher's signals came from a pass of its own for each batch."""


class SignalStores(msgspec.Struct, frozen=True, tag_field="source", tag="stored"):
    """The teacher's signals came from stores.

    Attributes:
        stores: hash of a store's content by the name of its target.
    """

    stores: Mapping[str, str]


SignalOrigin = LiveTeacher | SignalStores


@dataclass(frozen=True)
class Manifest:
    """The record of one job.

    Attributes:
        settings: that the job was given.
        code: fingerprint of the code that ran, if it was given one.
        versions: of Python and of the packages whose release can change a number.
        inputs: hash of the content of every file that was read, by path.
        files: that were written, by path.
        remarks: what stands below a table or figure about the files it was made from.
        expected: digest of what a table or figure should be made from.
        stamp: of the file of expectations that it was made by, see `expected_files`.
        state: digest of the files that a table or figure was made from, see `state_of`.
        signals: where a student had the teacher's signals from.
    """

    settings: Mapping[str, object]
    code: str | None
    versions: Mapping[str, str]
    inputs: Mapping[str, str]
    files: Mapping[str, FileMark]
    remarks: tuple[str, ...] = ()
    expected: str = ""
    stamp: str = ""
    state: str = ""
    signals: SignalOrigin | None = None


class JobFields(TypedDict, total=False):
    """The fields of a `Manifest` that a job gives itself."""

    settings: Required[Mapping[str, object]]
    code: Required[str | None]
    remarks: tuple[str, ...]
    expected: str
    stamp: str
    state: str
    signals: SignalOrigin | None


def digest(value: object) -> str:
    """Hash of what JSON can write, the same for equal values."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@cache
def versions() -> dict[str, str]:
    """Versions of Python and of the packages whose release can change a number."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def file_hash(path: Path) -> str:
    """Hash of a file's content."""
    with open(path, "rb") as content:
        return hashlib.file_digest(content, "blake2b").hexdigest()


def hashes(paths: Iterable[Path]) -> dict[Path, str]:
    """Hash of every file in these files and folders; manifests do not count."""
    return {file: file_hash(file) for path in paths for file in _files_in(path)}


def write_manifest(
    path: Path, outputs: Iterable[Path], inputs: Mapping[Path, str], **job: Unpack[JobFields]
) -> None:
    """Record a job.

    Args:
        path: of the manifest.
        outputs: files and folders that the job wrote.
        inputs: hashes of the files that it read, see `hashes`.
        job: the other fields of the manifest.
    """
    written = [file for output in outputs for file in _files_in(output)]
    manifest = Manifest(
        versions=versions(),
        inputs={_relative(file, path): value for file, value in inputs.items()},
        files={_relative(file, path): file_mark(file) for file in written},
        **job,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    text = json.dumps(msgspec.to_builtins(manifest), indent=1, sort_keys=True)
    partial.write_text(f"{text}\n", encoding="utf-8")
    partial.replace(path)


def read_manifest(path: Path) -> Manifest:
    """A manifest.

    Raises:
        UserError: there is none, or it is damaged.
    """
    try:
        return msgspec.convert(json.loads(path.read_text(encoding="utf-8")), Manifest)
    except FileNotFoundError as error:
        raise UserError(
            f"{path} is missing, so that it is unknown what the files beside it were made from; "
            f"{_remedy(path)}"
        ) from error
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not the record of a job; {_remedy(path)}") from error


def check_files(path: Path, manifest: Manifest, *, all_there: bool = True) -> None:
    """Compare the files that a job wrote with its manifest.

    Args:
        path: of the manifest.
        manifest: that was read from it.
        all_there: whether a missing file counts.

    Raises:
        UserError: one is missing or has another content.
    """
    for name, mark in manifest.files.items():
        file = _joined(path, name)
        if not file.is_file() and not all_there:
            continue
        if not file.is_file():
            raise UserError(f"{file} is missing, which {path} lists; {_remedy(path)}")
        if not has_mark(file, mark):
            raise UserError(
                f"{file} was changed after it was written (its content is not the one that {path} "
                f"recorded); {_remedy(path)}"
            )


def is_untouched(path: Path, manifest: Manifest) -> bool:
    """Whether all files that a job wrote are as it left them."""
    files = {_joined(path, name): mark for name, mark in manifest.files.items()}
    return all(file.is_file() and has_mark(file, mark) for file, mark in files.items())


def written_by(path: Path, manifest: Manifest) -> Iterator[tuple[Path, str]]:
    """The files that a job wrote, with the hashes of their contents."""
    return ((_joined(path, name), mark.hash) for name, mark in manifest.files.items())


def read_by(path: Path, manifest: Manifest) -> Iterator[tuple[Path, str]]:
    """The files that a job read, with the hashes of their contents at that time."""
    return ((_joined(path, name), found) for name, found in manifest.inputs.items())


def state_of(paths: Iterable[Path]) -> str:
    """Digest of the sizes and times of manifests and of the files they list: changes show in it."""
    return digest([_state(path) for path in paths])


@cache
def _state(path: Path) -> list[object]:
    try:
        listed = list(json.loads(path.read_text(encoding="utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return [str(path), None]
    return [
        str(path),
        *(_size_and_time(file) for file in (path, *(_joined(path, n) for n in listed))),
    ]


def _size_and_time(file: Path) -> list[int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns]


def _files_in(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file() and file.name != NAME)


def file_mark(file: Path) -> FileMark:
    """A file as it is now."""
    found = file.stat()
    return FileMark(file_hash(file), found.st_size, found.st_mtime_ns)


def has_mark(file: Path, mark: FileMark) -> bool:
    """Whether a file is as it was left; a large one of the same size and time is not read."""
    found = file.stat()
    if found.st_size != mark.size:
        return False
    if mark.size > ALWAYS_READ and found.st_mtime_ns == mark.time:
        return True
    return file_hash(file) == mark.hash


def _relative(file: Path, manifest: Path) -> str:
    return Path(os.path.relpath(file, manifest.parent)).as_posix()


def _joined(manifest: Path, name: str) -> Path:
    return Path(os.path.normpath(manifest.parent / name))


def _remedy(path: Path) -> str:
    return f"delete '{path.parent}' and call snakemake again, or copy all of it again"
