"""Device, threads and random seeds of a process."""

import os

import numpy as np
import torch

from internal_kd.errors import UserError


def select_device() -> torch.device:
    """The first visible GPU, or the CPU.

    The workflow tells by INTERNAL_KD_GPUS how many GPUs a job was given; 0 keeps it on the CPU.

    Raises:
        UserError: a GPU was given and none is visible, where INTERNAL_KD_REQUIRE_GPU is 1.
    """
    granted = int(os.environ.get("INTERNAL_KD_GPUS", "1"))
    demanded = os.environ.get("INTERNAL_KD_REQUIRE_GPU") == "1"
    if granted and demanded and not torch.cuda.is_available():
        raise UserError(
            "require_gpu: this job was given a GPU but sees none; look at the driver and at "
            "CUDA_VISIBLE_DEVICES, or write require_gpu: false to compute on the CPU"
        )
    return torch.device("cuda" if granted and torch.cuda.is_available() else "cpu")


def use_threads() -> None:
    """Let torch use as many threads as OMP_NUM_THREADS says, one if it says nothing."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


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
    """Restore what `random_state` gave, on whichever device it lies now."""
    torch.set_rng_state(states["cpu"].cpu())
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"].cpu())
