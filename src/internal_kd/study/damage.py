"""Files that an interrupted copy or download left behind, told without reading them whole."""

import json
from collections.abc import Iterator
from pathlib import Path

PARQUET = b"PAR1"
LENGTH = 8  # bytes of the number that tells how long a safetensors header is


def damage(file: Path) -> str | None:
    """What is wrong with a Parquet or safetensors file, as the end of a sentence; None if nothing.

    Other files are not looked at.
    """
    look = {".parquet": _of_parquet, ".safetensors": _of_safetensors}.get(file.suffix)
    return look(file) if look else None


def _of_parquet(file: Path) -> str | None:
    with open(file, "rb") as content:
        start = content.read(len(PARQUET))
        content.seek(max(0, file.stat().st_size - len(PARQUET)))
        end = content.read()
    if start != PARQUET:
        return "is no Parquet file"
    return None if end == PARQUET and file.stat().st_size > len(PARQUET) else "is cut off"


def _of_safetensors(file: Path) -> str | None:
    size = file.stat().st_size
    try:
        with open(file, "rb") as content:
            length = int.from_bytes(content.read(LENGTH), "little")
            header = json.loads(content.read(length) if length < size else b"")
        ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
    except (ValueError, TypeError, KeyError, AttributeError):
        return "is no safetensors file"
    expected = LENGTH + length + max(ends, default=0)
    return f"is cut off ({size} of {expected} bytes)" if size < expected else None


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
