"""One writer per run, also across the machines of a cluster that share a file system."""

import fcntl
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

logger = logging.getLogger(__name__)


@contextmanager
def only_writer(file: Path) -> Iterator[None]:
    """Hold the lock `file` while inside; it stays on disk, and the kernel frees it.

    Another process that holds it, such as a job that outlived its Snakemake, is waited for: it is
    about to leave the very files that are wanted, and to fail now would have Snakemake delete them.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file, "a+") as lock:
        if not try_lock(lock):
            lock.seek(0)
            logger.warning(
                "%s: %s is working on this run; waiting for it to end",
                file,
                lock.read().strip() or "another process",
            )
            fcntl.flock(lock, fcntl.LOCK_EX)
        _sign(lock)
        yield


def writer_if_free(file: Path) -> IO[str] | None:
    """The lock `file`, held until it is closed; None where another process holds it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = open(file, "a+")  # noqa: SIM115 - whoever asked for it closes it
    if not try_lock(lock):
        lock.close()
        return None
    _sign(lock)
    return lock


def try_lock(file: IO[str]) -> bool:
    """Lock an open file until it is closed, unless another process has locked it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sign(lock: IO[str]) -> None:
    """Say in the file who holds it, for those who wait."""
    lock.truncate(0)
    job = os.environ.get("SLURM_JOB_ID")
    lock.write(f"{f'SLURM job {job}, ' if job else ''}process {os.getpid()}")
    lock.write(f" on {socket.gethostname()}\n")
    lock.flush()
