"""How fast a training was, so that a loss of speed shows in its results."""

import resource
import sys
from collections.abc import Iterable

import torch

from internal_kd.data.batches import LengthBucketedBatches
from internal_kd.distillation.history import Row

KILO = 1 if sys.platform == "darwin" else 1024  # of which ru_maxrss counts bytes or kilobytes


def speed_of(
    batches: LengthBucketedBatches, history: Iterable[Row], device: torch.device
) -> dict[str, float | str]:
    """Examples per second of training, share of real tokens, and memory.

    Evaluation, the teacher's pass over the training set and start-up do not count.

    Returns:
        device: its name; examples_per_second, seconds_per_example;
        real_tokens_per_padded_token: 1 if there is no padding, for the batches of epoch 1;
        peak_memory_mb: of the process, and peak_gpu_memory_mb of its tensors on a GPU.
    """
    rows = list(history)
    seconds = sum(float(str(row["train_seconds"])) for row in rows)
    examples = len(rows) * len(batches.split)
    measured: dict[str, float | str] = {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "examples_per_second": round(examples / max(seconds, 1e-3), 3),
        "seconds_per_example": round(seconds / examples, 9),
        "real_tokens_per_padded_token": round(batches.real_share(), 4),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KILO / 1e6, 1),
    }
    if device.type == "cuda":
        measured["peak_gpu_memory_mb"] = round(torch.cuda.max_memory_allocated(device) / 1e6, 1)
    return measured
