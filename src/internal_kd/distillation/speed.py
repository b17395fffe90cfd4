"""How fast a training was, so that a loss of speed shows in its results."""

import resource
import sys
from collections.abc import Iterable

import torch
from msgspec import UNSET

from internal_kd.data.batches import LengthBucketedBatches
from internal_kd.distillation.history import Row
from internal_kd.specs.records import Speed

KILO = 1 if sys.platform == "darwin" else 1024  # of which ru_maxrss counts bytes or kilobytes


def speed_of(batches: LengthBucketedBatches, history: Iterable[Row], device: torch.device) -> Speed:
    """Examples per second of training, share of real tokens, and memory."""
    rows, on_gpu = list(history), device.type == "cuda"
    seconds = sum(float(row["train_seconds"]) for row in rows)
    examples = len(rows) * len(batches.split)
    return Speed(
        device=torch.cuda.get_device_name(device) if on_gpu else "cpu",
        examples_per_second=round(examples / max(seconds, 1e-3), 3),
        seconds_per_example=round(seconds / examples, 9),
        real_tokens_per_padded_token=round(batches.real_share(), 4),
        peak_memory_mb=_millions(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KILO),
        peak_gpu_memory_mb=_millions(torch.cuda.max_memory_allocated(device)) if on_gpu else UNSET,
    )


def _millions(amount: int) -> float:
    return round(amount / 1e6, 1)
