"""Whose results a folder holds, and one workflow at a time that writes there.

Snakemake's own lock holds for a working directory, and is lost when any workflow ends there. This
one is in the folder of results, so that it also keeps out a workflow from another directory. The
kernel frees it when its process ends, however it ends; the file stays and names the study.
"""

import json
import os
import socket
from pathlib import Path
from typing import IO

from internal_kd.errors import UserError, printable
from internal_kd.locks import open_lock, try_lock

MARK = ".internal-kd.lock"


def owner(folder: Path) -> str | None:
    """Name of the study whose results a folder holds; None where no workflow has written there."""
    study = _read(folder / MARK).get("study")
    return study if isinstance(study, str) else None


def _read(mark: Path) -> dict[str, object]:
    try:
        found = json.loads(mark.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def hold(folder: Path, study: str) -> IO[str]:
    """Mark a folder as a study's results and lock it until the file that is returned is closed.

    Raises:
        UserError: another workflow is at work there.
        OSError: the folder or the file in it cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = open_lock(folder / MARK)
    if not try_lock(lock):
        lock.close()
        raise UserError(
            f"results: {_holder(folder)} is using '{folder}'; wait for it to end, or name "
            "another folder"
        )
    lock.truncate(0)
    lock.write(json.dumps({"study": study, "process": os.getpid(), "host": socket.gethostname()}))
    lock.flush()
    return lock


def _holder(folder: Path) -> str:
    found = _read(folder / MARK)
    if not found:
        return "another workflow"
    return printable(f"a workflow (process {found.get('process')} on {found.get('host')})")
