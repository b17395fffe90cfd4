"""What may be missing on a machine while a job runs: space, permission, memory, a package."""

import errno
import os
import re
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)
PACKAGE = "internal_kd"

# Libraries written in other languages put the system's number into the text of their exceptions.
_NUMBER = re.compile(r"\b(?:os error|errno) (\d+)", re.IGNORECASE)


def resource_error(error: Exception, folder: str | Path) -> str | None:
    """One sentence on what is missing and how to provide it; None for any other error.

    Args:
        error: what ended the job.
        folder: where the job writes, for errors that name no file themselves.
    """
    if isinstance(error, ModuleNotFoundError) and error.name:
        return _missing(error.name.partition(".")[0])
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return (
            "memory: there was not enough; lower batch_size or distillation.signals.budget_mb, "
            "or give the job more in resources"
        )
    number = _system_error(error)
    where = getattr(error, "filename", None) or folder
    if number in FULL:
        return f"{where}: {os.strerror(number)}; make room there, or change results in the config"
    if number in CLOSED:
        return (
            f"{where}: {os.strerror(number)}; make it accessible, or change results in the config"
        )
    return None


def _missing(package: str) -> str | None:
    if package == PACKAGE:
        return None
    return (
        f"the Python package {package} is missing; "
        "install all with 'pip install -r requirements.lock'"
    )


def _system_error(error: Exception) -> int:
    number = getattr(error, "errno", None)
    if isinstance(number, int):
        return number
    found = _NUMBER.search(str(error))
    return int(found[1]) if found else 0
