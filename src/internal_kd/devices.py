"""One GPU per run on a machine with several, also when several runs start at once.

Each GPU has one lock file per run that may use it at a time. The kernel frees a lock when its
process ends, however it ends.
"""

import logging
import os
import stat
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from internal_kd.errors import UserError
from internal_kd.locks import open_lock, try_lock

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_TRIES = 1.0
FOLDER = "internal-kd-gpus"
PRIVATE, OTHERS = 0o700, 0o077

_held: list[IO[str]] = []


def runs_per_gpu() -> int:
    """How many runs may share a GPU; the workflow sets it from the config."""
    return int(os.environ.get("INTERNAL_KD_RUNS_PER_GPU", "1"))


def visible_gpus(devices: Path = Path("/dev")) -> int:
    """Number of GPUs that CUDA_VISIBLE_DEVICES names or the machine has, without CUDA."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([name for name in visible.split(",") if name.strip() not in ("", "-1")])
    return len([path for path in devices.glob("nvidia*") if path.name[6:].isdigit()])


def lock_folder() -> Path:
    """Where the lock files of this machine's GPUs lie, for all runs of this user and nobody else.

    In the folder that the system made for the user, or else in the one for temporary files, where
    others may have taken the name.

    Raises:
        UserError: no such folder can be made.
    """
    for folder in _candidates():
        if _made_private(folder):
            return folder
        logger.warning("%s: the folder is not private to this user; it is not used", folder)
    raise UserError(
        f"{tempfile.gettempdir()}: cannot create a folder for the locks of GPUs; set TMPDIR "
        "to a folder of your own"
    )


def _candidates() -> Iterator[Path]:
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}")
    if _is_private(runtime):
        yield runtime / FOLDER
    for more in ("", *(f"-{number}" for number in range(1, 10))):
        yield Path(tempfile.gettempdir(), f"{FOLDER}-{os.geteuid()}{more}")


def _made_private(folder: Path) -> bool:
    """Whether the folder, created if missing, is private to this user."""
    with suppress(OSError):
        folder.mkdir(mode=PRIVATE)
    if _is_own(folder):
        folder.chmod(PRIVATE)  # former versions let others read it
    return _is_private(folder)


def _is_private(folder: Path) -> bool:
    return _is_own(folder) and not stat.S_IMODE(os.lstat(folder).st_mode) & OTHERS


def _is_own(folder: Path) -> bool:
    """Whether it is a folder, no link, and belongs to this user."""
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def claim(devices: Sequence[str], sharing: int, folder: Path) -> int:
    """Index of a device with a free place, which is held until the process ends; waits for one.

    Args:
        devices: a name for each device, the same in all processes on this machine.
        sharing: places per device; one on each device is taken before a second one on any.
        folder: for the lock files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    waiting = False
    while True:
        for place in range(sharing):
            for index, device in enumerate(devices):
                if _take(folder / f"{device}-{place}.lock"):
                    return index
        if not waiting:
            logger.info("waiting for a free GPU, all %d are in use", len(devices))
        waiting = True
        time.sleep(SECONDS_BETWEEN_TRIES)


def _take(path: Path) -> bool:
    file = open_lock(path, mode=0o600)  # open until the process ends
    if try_lock(file):
        _held.append(file)
        return True
    file.close()
    return False
