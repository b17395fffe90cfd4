"""One GPU per run on a machine with several, also when several runs start at once.

Each GPU has one lock file per run that may use it at a time. The kernel frees a lock when its
process ends, however it ends.
"""

import logging
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from internal_kd.locks import try_lock

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_TRIES = 1.0

_held: list[IO[str]] = []


def runs_per_gpu() -> int:
    """How many runs may share a GPU; the workflow tells it from the config."""
    return int(os.environ.get("INTERNAL_KD_RUNS_PER_GPU", "1"))


def visible_gpus(devices: Path = Path("/dev")) -> int:
    """Number of GPUs that CUDA_VISIBLE_DEVICES names or the machine has, without asking CUDA."""
    told = os.environ.get("CUDA_VISIBLE_DEVICES")
    if told is not None:
        return len([name for name in told.split(",") if name.strip() not in ("", "-1")])
    return len([path for path in devices.glob("nvidia*") if path.name[6:].isdigit()])


def lock_folder() -> Path:
    """Where the lock files of this machine's GPUs lie, for all runs of this user."""
    return Path(tempfile.gettempdir(), f"internal-kd-gpus-{os.getuid()}")


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
    file = open(path, "a+")  # noqa: SIM115 - open until the process ends
    if try_lock(file):
        _held.append(file)
        return True
    file.close()
    return False
