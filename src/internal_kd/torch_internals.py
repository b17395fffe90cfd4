"""All that is used of torch beyond its documentation; tests/test_internals.py checks it."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor


class FusedKernel(Protocol):
    """One step of Adam over lists of tensors of one device, in place."""

    def __call__(
        self,
        parameters: list[Tensor],
        gradients: list[Tensor],
        means: list[Tensor],
        squares: list[Tensor],
        largest_squares: list[Tensor],
        steps: list[Tensor],
        /,
        *,
        lr: float,
        beta1: float,
        beta2: float,
        weight_decay: float,
        eps: float,
        amsgrad: bool,
        maximize: bool,
        grad_scale: Tensor | None,
    ) -> None:
        """Move the parameters, after dividing their gradients by `grad_scale`."""
        ...


# The kernels behind `torch.optim.Adam(fused=True)` and `AdamW(fused=True)`. Those classes load
# torch's compiler when they are made, which takes longer than all else before a first step.
fused_adam: FusedKernel = torch._fused_adam_
fused_adamw: FusedKernel = torch._fused_adamw_


def add_to_each(tensors: Sequence[Tensor], amount: float) -> None:
    """Add a number to each of some tensors of one device, in place, by one kernel."""
    torch._foreach_add_(list(tensors), amount)


def allow_recompilations(times: int) -> None:
    """How often this process may recompile a function; before its first compilation."""
    from torch._dynamo import config

    config.recompile_limit = config.accumulated_recompile_limit = times
