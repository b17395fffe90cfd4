"""All that is used of torch beyond its documentation; tests/test_internals.py checks it."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

# The kernels behind `torch.optim.Adam(fused=True)` and `AdamW(fused=True)`. Those classes load
# torch's compiler when they are made, which takes longer than all else before a first step.
fused_adam: Callable[..., None] = torch._fused_adam_
fused_adamw: Callable[..., None] = torch._fused_adamw_


def add_to_each(tensors: Sequence[Tensor], amount: float) -> None:
    """Add a number to each of some tensors of one device, in place, by one kernel."""
    torch._foreach_add_(list(tensors), amount)


def allow_recompilations(times: int) -> None:
    """How often this process may recompile a function; before its first compilation."""
    from torch._dynamo import config

    config.recompile_limit = config.accumulated_recompile_limit = times
