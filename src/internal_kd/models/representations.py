"""What a pass through a classifier takes and yields."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Tokens(Protocol):
    """A padded batch; every tensor has shape `[batch, tokens]`."""

    @property
    def input_ids(self) -> Tensor:
        """Token numbers."""
        ...

    @property
    def token_type_ids(self) -> Tensor:
        """0 for the first text, 1 for the second."""
        ...

    @property
    def attention_mask(self) -> Tensor:
        """1 at real tokens, 0 at padding."""
        ...

    @property
    def padded(self) -> bool:
        """False if every position is known to hold a real token."""
        ...


@dataclass(frozen=True)
class Representations:
    """What a classifier computed for one batch, from the bottom layer up to the one asked for.

    Attributes:
        logits: `[batch, classes]`; None where layers above were left out.
        cls: for each layer the hidden state of the first token, `[batch, hidden size]`.
        scores: for each layer the attention scores before softmax and dropout, `[batch, heads,
            tokens, tokens]`.
    """

    logits: Tensor | None
    cls: tuple[Tensor, ...] = ()
    scores: tuple[Tensor, ...] = ()


def probabilities(scores: Tensor) -> Tensor:
    """Attention probabilities in fp32 from scores `[..., tokens, tokens]`; rows sum to one."""
    return torch.softmax(scores.float(), dim=-1)
