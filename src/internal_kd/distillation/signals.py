"""The teacher's part of the losses: which signals a run requests, and a teacher that gives them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from internal_kd.data.batches import Batch
from internal_kd.distillation.losses.attention import attention_entropy
from internal_kd.models.representations import probabilities
from internal_kd.models.teacher import FrozenTeacher


@dataclass(frozen=True)
class Signals:
    """The teacher's part of the losses for one batch.

    Attributes:
        logits: `[batch, classes]`; None where they were not requested.
        cls: `[batch, layers requested, hidden size]`.
        attention: probabilities, `[batch, layers requested, heads, tokens, tokens]`; zero in the
            columns and rows of padding.
        entropy: of the attention, `[batch, layers requested]`, see `attention_entropy`.
    """

    logits: Tensor | None
    cls: Tensor | None = None
    attention: Tensor | None = None
    entropy: Tensor | None = None


@dataclass(frozen=True)
class SignalRequest:
    """Which signals a run's losses read.

    Attributes:
        logits: whether they read the teacher's logits.
        layers: one-based teacher layers of the internal losses, bottom first.
        cls: whether they read the [CLS] vectors of these layers.
        attention: whether they read the attention probabilities of these layers.
    """

    logits: bool = False
    layers: tuple[int, ...] = ()
    cls: bool = False
    attention: bool = False


class SignalSource(Protocol):
    """Gives the signals of a batch."""

    def __call__(self, batch: Batch, layers: Sequence[int], logits: bool) -> Signals:
        """Signals of `batch` from the teacher layers of these one-based student layers."""
        ...


class LiveSignals:
    """A forward pass of the teacher for each batch, no higher than what is requested."""

    def __init__(self, teacher: FrozenTeacher, request: SignalRequest) -> None:
        self.teacher = teacher
        self.request = request

    def __call__(self, batch: Batch, layers: Sequence[int], logits: bool) -> Signals:
        """Signals of `batch`, see `Signals`."""
        request = self.request
        chosen = [request.layers[layer - 1] for layer in layers] if request.layers else []
        outputs = self.teacher(batch, None if logits else max(chosen))
        cls = attention = entropy = None
        if request.cls and chosen:
            cls = torch.stack([outputs.cls[k - 1] for k in chosen], 1).float()
        if request.attention and chosen:
            attention = torch.stack([probabilities(outputs.scores[k - 1]) for k in chosen], 1)
            if batch.padded:
                attention *= batch.attention_mask[:, None, None, :, None]
            entropy = entropy_of(attention, batch)
        known = None if outputs.logits is None else outputs.logits.float()
        return Signals(known, cls, attention, entropy)


def entropy_of(attention: Tensor, batch: Batch) -> Tensor:
    """Entropy of a batch's attention, from `[batch, layers, heads, ...]` to `[batch, layers]`."""
    lengths = batch.attention_mask.sum(dim=-1)[:, None] if batch.padded else None
    return attention_entropy(attention, lengths)
