"""What the teacher says about every training example: computed once, or for each batch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from internal_kd.data.batches import Batch, sorted_batches
from internal_kd.data.encoding import EncodedSplit
from internal_kd.models.representations import probabilities
from internal_kd.models.teacher import FrozenTeacher


@dataclass(frozen=True)
class Signals:
    """The teacher's part of the losses for one batch.

    Attributes:
        logits: `[batch, classes]`; None where they were not asked for.
        cls: `[batch, layers asked for, hidden size]`.
        attention: probabilities, `[batch, layers asked for, heads, tokens, tokens]`; zero at padded
            keys.
    """

    logits: Tensor | None
    cls: Tensor | None = None
    attention: Tensor | None = None


@dataclass(frozen=True)
class Wanted:
    """Which signals the losses need, and from which one-based teacher layers, bottom first."""

    layers: tuple[int, ...] = ()
    cls: bool = False
    attention: bool = False


class SignalSource(Protocol):
    """Gives the signals of a batch."""

    def __call__(self, batch: Batch, layers: Sequence[int], logits: bool) -> Signals:
        """Signals of `batch` from the teacher layers of these one-based student layers."""
        ...


class LiveSignals:
    """A forward pass of the teacher for each batch, no higher than is asked for."""

    def __init__(self, teacher: FrozenTeacher, wanted: Wanted) -> None:
        self.teacher = teacher
        self.wanted = wanted

    def __call__(self, batch: Batch, layers: Sequence[int], logits: bool) -> Signals:
        """Signals of `batch`, see `Signals`."""
        chosen = [self.wanted.layers[layer - 1] for layer in layers] if self.wanted.layers else []
        outputs = self.teacher(batch, None if logits else max(chosen))
        cls = attention = None
        if self.wanted.cls and chosen:
            cls = torch.stack([outputs.cls[k - 1] for k in chosen], 1).float()
        if self.wanted.attention and chosen:
            attention = torch.stack([probabilities(outputs.scores[k - 1]) for k in chosen], 1)
        return Signals(None if outputs.logits is None else outputs.logits.float(), cls, attention)


class PrecomputedSignals:
    """One pass of the teacher over the training set, kept in memory without padding.

    The attention of an example with L tokens takes matched layers x heads x L x L numbers.
    """

    def __init__(self, live: LiveSignals, split: EncodedSplit, batches: Iterable[Batch]) -> None:
        self.lengths = split.lengths
        self.logits: Tensor | None = None
        self.cls: Tensor | None = None
        self.attention: list[Tensor | None] = [None] * len(split)
        every = range(1, len(live.wanted.layers) + 1)
        for batch in batches:
            self._keep(batch, live(batch, every, logits=True))

    def _keep(self, batch: Batch, signals: Signals) -> None:
        rows = torch.as_tensor(batch.rows)
        assert signals.logits is not None
        self.logits = self._store(self.logits, rows, signals.logits)
        if signals.cls is not None:
            self.cls = self._store(self.cls, rows, signals.cls)
        if signals.attention is not None:
            for position, row in enumerate(batch.rows):
                length = self.lengths[row]
                attention = signals.attention[position, :, :, :length, :length]
                self.attention[row] = attention.clone()

    def _store(self, kept: Tensor | None, rows: Tensor, values: Tensor) -> Tensor:
        if kept is None:
            kept = values.new_empty((len(self.lengths), *values.shape[1:]))
        kept[rows.to(values.device)] = values
        return kept

    def __call__(self, batch: Batch, layers: Sequence[int], logits: bool) -> Signals:
        """Signals of `batch`, padded to its length."""
        assert self.logits is not None
        rows = torch.as_tensor(batch.rows, device=self.logits.device)
        chosen = [layer - 1 for layer in layers]
        cls = None
        if self.cls is not None and chosen:
            cls = self.cls[rows][:, chosen]
        return Signals(
            self.logits[rows] if logits else None, cls, self._padded_attention(batch, chosen)
        )

    def _padded_attention(self, batch: Batch, chosen: list[int]) -> Tensor | None:
        first = self.attention[batch.rows[0]]
        if first is None or not chosen:
            return None
        tokens = batch.input_ids.shape[1]
        # A slice is a view, a list of numbers would be copied.
        low, high = min(chosen), max(chosen) + 1
        padded = first.new_zeros((len(batch.rows), high - low, first.shape[1], tokens, tokens))
        for position, row in enumerate(batch.rows):
            length, kept = self.lengths[row], self.attention[row]
            assert kept is not None
            padded[position, :, :, :length, :length] = kept[low:high]
        return padded if high - low == len(chosen) else padded[:, [k - low for k in chosen]]


def precomputed_bytes(lengths: np.ndarray, wanted: Wanted, heads: int, hidden: int) -> int:
    """Memory that precomputed signals of examples with these token counts take, in bytes (fp32)."""
    layers = len(wanted.layers)
    attention = (
        layers * heads * int((lengths.astype(np.int64) ** 2).sum()) if wanted.attention else 0
    )
    cls = layers * hidden * len(lengths) if wanted.cls else 0
    return 4 * (attention + cls)


def signal_source(
    teacher: FrozenTeacher,
    split: EncodedSplit,
    wanted: Wanted,
    *,
    source: str,
    budget_mb: float,
    pad_token_id: int,
    device: torch.device,
    batch_size: int = 64,
) -> SignalSource:
    """Precomputed signals where they fit the budget (or are asked for), live ones otherwise."""
    live = LiveSignals(teacher, wanted)
    config = teacher.model.config
    needed = precomputed_bytes(
        split.lengths, wanted, config.num_attention_heads, config.hidden_size
    )
    if source == "live" or (source == "auto" and needed > budget_mb * 1e6):
        return live
    batches = (batch.to(device) for batch in sorted_batches(split, batch_size, pad_token_id))
    return PrecomputedSignals(live, split, batches)
