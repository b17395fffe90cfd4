"""Dropout that does not wait for random numbers."""

import torch
from torch import Tensor, nn

STEPS = 1 << 16  # a probability is rounded to 1/65536, and kept values are scaled accordingly


def dropout(values: Tensor, probability: float, training: bool) -> Tensor:
    """Dropout as in `torch.nn.functional.dropout`; on the CPU from 16 random bits for each value.

    torch draws a whole uniform number for each value there, which takes longer than the matrix
    product before it. Four values share a 64-bit number of torch's own generator. Compiled passes
    draw as torch does.
    """
    dropped = round(probability * STEPS)
    if not training or not dropped:
        return values
    plain = values.device.type != "cpu" or torch.compiler.is_compiling()
    if plain or dropped >= STEPS:
        return nn.functional.dropout(values, probability)
    noise = torch.empty(-(-values.numel() // 4), dtype=torch.int64).random_(-(1 << 63), None)
    bits = noise.view(torch.int16)[: values.numel()].view(values.shape)
    kept = torch.empty(values.shape, dtype=values.dtype)
    torch.ge(bits, dropped - STEPS // 2, out=kept)
    return values * kept.mul_(STEPS / (STEPS - dropped))
