"""One writer per run, also across the machines of a cluster that share a file system."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from internal_kd.errors import UserError


@contextmanager
def only_writer(file: Path) -> Iterator[None]:
    """Hold the lock `file` while inside; it stays on disk, empty, and the kernel frees it.

    Raises:
        UserError: another process holds it, such as a job that outlived its Snakemake.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(
                f"{file}: another process is working on this run; "
                "wait for it or end it, then start again"
            ) from error
        yield
