"""One writer per run, also across the machines of a cluster that share a file system."""

import errno
import fcntl
import logging
import os
import pwd
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from internal_kd.errors import UserError

logger = logging.getLogger(__name__)

NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP)


@contextmanager
def only_writer(file: Path) -> Iterator[None]:
    """Hold the lock `file` while inside; it stays on disk, and the kernel frees it.

    Another process that holds it, such as a job that outlived its Snakemake, is waited for: it is
    about to write the files that are needed, and to fail now would have Snakemake delete them.

    Raises:
        UserError: the file is another user's or a link.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with open_lock(file) as lock:
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


@contextmanager
def exclusive(file: Path, what: str) -> Iterator[None]:
    """Hold the lock `file` while inside, or wait for the process that holds it.

    Args:
        file: the lock; it stays on disk, and the kernel frees it.
        what: it protects, for the log.

    Raises:
        OSError: the file system has no locks.
        UserError: the file is another user's or a link.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with open_lock(file) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            logger.info("%s: waiting for another process that writes them", what)
            fcntl.flock(lock, fcntl.LOCK_EX)
        _sign(lock)
        yield


def open_lock(file: Path, mode: int = 0o666) -> IO[str]:
    """A file to be locked, made where it is missing.

    Args:
        file: its path; a link there is not followed.
        mode: permissions of a new one, of which the umask takes some away.

    Raises:
        UserError: the file is another user's or a link.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return open(file, "a+", encoding="utf-8", opener=lambda path, _: os.open(path, flags, mode))
    except PermissionError as error:
        if not _is_foreign(file):
            raise
        raise UserError(
            f"{file}: this lock belongs to {_owner_of(file)}; have it removed or made writable, or "
            "work in another folder"
        ) from error
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise UserError(f"{file}: this lock is a link; remove it") from error


def _is_foreign(file: Path) -> bool:
    return os.path.lexists(file) and os.lstat(file).st_uid != os.geteuid()


def _owner_of(file: Path) -> str:
    user = os.lstat(file).st_uid
    try:
        return f"user {pwd.getpwuid(user).pw_name}"
    except KeyError:
        return f"user {user}"


def try_lock(file: IO[str]) -> bool:
    """Lock an open file until it is closed, unless another process has locked it.

    Where the file system has no locks, nobody is kept out, which is reported.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        logger.warning(
            "%s cannot be locked (%s); make sure that only one workflow writes there",
            file.name,
            error.strerror,
        )
    return True


def _sign(lock: IO[str]) -> None:
    """Say in the file who holds it, for those who wait."""
    lock.truncate(0)
    job = os.environ.get("SLURM_JOB_ID")
    lock.write(f"{f'SLURM job {job}, ' if job else ''}process {os.getpid()}")
    lock.write(f" on {socket.gethostname()}\n")
    lock.flush()
