"""Damage by an interrupted copy or download, found without reading whole files."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PARQUET = b"PAR1"
FLOATS = {"F64", "F32", "F16", "BF16"}
FUTURE = 60  # seconds that clocks of machines may differ
LENGTH = 8  # bytes of the number that holds the length of a safetensors header


def damage(file: Path) -> str | None:
    """What is wrong with a Parquet or safetensors file, as the end of a sentence; None if nothing.

    Of other files only whether they are there, and now.
    """
    if not file.exists():
        return "is a link to a file that is not there"
    if file.stat().st_mtime > time.time() + FUTURE:
        return "has a time in the future of this machine's clock, and would count as new each time"
    check = {".parquet": _of_parquet, ".safetensors": _of_safetensors}.get(file.suffix)
    return check(file) if check else None


def _of_parquet(file: Path) -> str | None:
    with open(file, "rb") as content:
        start = content.read(len(PARQUET))
        content.seek(max(0, file.stat().st_size - len(PARQUET)))
        end = content.read()
    if start != PARQUET:
        return "is not a Parquet file"
    return None if end == PARQUET and file.stat().st_size > len(PARQUET) else "is cut off"


def _of_safetensors(file: Path) -> str | None:
    header = _header(file)
    if header is None:
        return "is not a safetensors file"
    start, entries = header
    size, expected = file.stat().st_size, start + max((entry.end for entry in entries), default=0)
    return f"is cut off ({size} of {expected} bytes)" if size < expected else None


@dataclass(frozen=True)
class _Entry:
    """Entry of a tensor in the header of a safetensors file."""

    name: str
    type: str
    end: int


def _header(file: Path) -> tuple[int, list[_Entry]] | None:
    """Where the numbers begin, and all tensors; None if it is not a safetensors file."""
    size = file.stat().st_size
    try:
        with open(file, "rb") as content:
            length = int.from_bytes(content.read(LENGTH), "little")
            header = json.loads(content.read(length) if length < size else b"")
        header.pop("__metadata__", None)
        entries = [
            _Entry(name, entry["dtype"], entry["data_offsets"][1]) for name, entry in header.items()
        ]
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return LENGTH + length, entries


def odd_type(file: Path) -> str | None:
    """The type of weights that are no plain floating-point numbers but parts of a packed form."""
    header = _header(file)
    types = (
        {entry.type for entry in header[1] if entry.name.endswith("weight")} if header else set()
    )
    return min(types - FLOATS, default=None)


def missing_weights(folder: Path) -> Iterator[str]:
    """Names of files with weights that a model's folder should have and does not."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        try:
            names = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        except (ValueError, KeyError, AttributeError):
            yield f"{index.name} in a readable form"
            return
        yield from sorted(name for name in names if not (folder / name).is_file())
    elif not any(folder.glob("*.safetensors")) and not any(folder.glob("pytorch_model*.bin")):
        yield "model.safetensors"
