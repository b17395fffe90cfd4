"""What a process may be denied: space, permission, a package. Called in the process itself."""

import ctypes
import fcntl
import os
import resource
import sys
from functools import partial
from pathlib import Path
from typing import IO

PR_CAPBSET_DROP = 24
CAPABILITY_VERSION = 0x20080522
# CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: what lets root write where permissions forbid it.
OVERRIDING = (1, 2)


def limit_files(size: int) -> None:
    """No file may become longer than `size` bytes: writing fails as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def hide_package(name: str) -> None:
    """Importing a package fails as if it were not installed."""
    sys.modules[name] = None  # type: ignore[assignment]


def obey_permissions() -> None:
    """Root is bound to the permissions of files like anybody else."""
    if os.geteuid():
        return
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in OVERRIDING:
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()
    libc.capget(header, sets)
    kept = ~sum(1 << capability for capability in OVERRIDING) & 0xFFFFFFFF
    for place in range(3):
        sets[place] &= kept
    if libc.capset(header, sets):
        raise OSError(ctypes.get_errno(), "capset")


def hold_lock(file: str) -> None:
    """Another workflow is at work: its lock is held until the process ends."""
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    lock = open(file, "a+", encoding="utf-8")  # noqa: SIM115 - open until the process ends
    fcntl.flock(lock, fcntl.LOCK_EX)
    HELD.append(lock)


HELD: list[IO[str]] = []
IN_USE = partial(hold_lock, "results/tiny/.internal-kd.lock")
SMALL_DISK = partial(limit_files, 60_000)  # less than the weights of the tiny models
WITHOUT_SEABORN = partial(hide_package, "seaborn")
