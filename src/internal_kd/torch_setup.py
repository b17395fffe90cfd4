"""Device, threads and random seeds of a process."""

import os

import numpy as np
import torch

from internal_kd.devices import claim, lock_folder, runs_per_gpu
from internal_kd.errors import UserError


def select_device() -> torch.device:
    """A visible GPU that no other run of this user holds, or the CPU; waits if all are held.

    INTERNAL_KD_GPUS is the number of GPUs that a job was given; 0 keeps it on the CPU.
    On a cluster SLURM has chosen the GPU already.

    Raises:
        UserError: a GPU was given and none is visible, where INTERNAL_KD_REQUIRE_GPU is 1.
    """
    granted = int(os.environ.get("INTERNAL_KD_GPUS", "1"))
    if not granted or not torch.cuda.is_available():
        _check_not_demanded(granted)
        return torch.device("cpu")
    index = 0
    if "SLURM_JOB_ID" not in os.environ:
        index = claim(_gpu_names(), runs_per_gpu(), lock_folder())
    torch.cuda.set_device(index)
    return torch.device("cuda", index)


def _check_not_demanded(granted: int) -> None:
    if granted and os.environ.get("INTERNAL_KD_REQUIRE_GPU") == "1":
        raise UserError(
            "require_gpu: this job was given a GPU but sees none; check the driver and "
            "CUDA_VISIBLE_DEVICES, or write require_gpu: false to compute on the CPU"
        )


def _gpu_names() -> list[str]:
    """Names of the visible GPUs that do not depend on which others are visible."""
    visible = range(torch.cuda.device_count())
    return [str(torch.cuda.get_device_properties(index).uuid) for index in visible]


def use_threads() -> None:
    """Let torch use as many threads as OMP_NUM_THREADS sets, one if it is not set."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


def wait_for(device: torch.device) -> None:
    """Return when a GPU has done all that it was given; a CPU has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seed_epoch(seed: int, epoch: int) -> None:
    """Make dropout of an epoch a function of seed and epoch alone."""
    state = np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)[0]
    torch.manual_seed(int(state >> np.uint64(1)))


def random_state() -> dict[str, torch.Tensor]:
    """State of torch's generators, of the CPU and of the GPU in use."""
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def restore_random_state(states: dict[str, torch.Tensor]) -> None:
    """Restore what `random_state` gave, on whichever device it is now."""
    torch.set_rng_state(states["cpu"].cpu())
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"].cpu())
