"""Hashes of the user's own files, so that a rule notices other content whatever the file's time.

A file is read again only if its size, its times or its place on the disk have changed. The hashes
are in Snakemake's folder of the working directory, like all that can be rebuilt.
"""

import json
import os
from contextlib import suppress
from functools import cache
from pathlib import Path

from internal_kd.manifests import file_hash

FOLDER = Path(".snakemake")
CACHE = FOLDER / "internal_kd" / "files.json"


@cache
def content_hashes(paths: tuple[str, ...]) -> dict[str, str]:
    """Hash of the content of each file, by its name."""
    cached = _cached()
    found = {path: _key(Path(path)) for path in paths}
    new = {key: file_hash(Path(path)) for path, key in found.items() if key not in cached}
    if new:
        _keep(cached | new)
    return {Path(path).name: (cached | new)[key] for path, key in found.items()}


def _key(path: Path) -> str:
    """What changes whenever somebody writes to a file."""
    there = path.stat()
    numbers = (there.st_dev, there.st_ino, there.st_size, there.st_mtime_ns, there.st_ctime_ns)
    return f"{path.absolute()} {' '.join(map(str, numbers))}"


def _cached() -> dict[str, str]:
    with suppress(OSError, ValueError, AttributeError):
        stored = json.loads(CACHE.read_text(encoding="utf-8"))
        return {str(key): str(value) for key, value in stored.items()}
    return {}


def _keep(hashes: dict[str, str]) -> None:
    """Note hashes, if Snakemake has a folder here that can be written to."""
    if not FOLDER.is_dir():
        return
    partial = CACHE.with_name(f"{CACHE.name}.{os.getpid()}")
    with suppress(OSError):
        CACHE.parent.mkdir(exist_ok=True)
        partial.write_text(json.dumps(hashes), encoding="utf-8")
        partial.replace(CACHE)
