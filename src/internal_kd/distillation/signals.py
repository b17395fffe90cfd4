"""What the teacher says about every training example: computed once, or for each batch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from internal_kd.data.batches import CPU, Batch, moved, sorted_batches
from internal_kd.data.encoding import EncodedSplit
from internal_kd.distillation.kept_attention import KeptAttention, keep_attention, select_layers
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


@dataclass(frozen=True)
class Form:
    """How an attention probability is kept in memory: in what, and what 1 is there."""

    dtype: torch.dtype
    one: float | None
    bytes: int

    def pack(self, probabilities: Tensor) -> Tensor:
        """From probabilities to what is kept."""
        if self.one is None:
            return probabilities
        return (probabilities * self.one).round().to(self.dtype)

    def unpack(self, kept: Tensor) -> Tensor:
        """From what is kept to probabilities in fp32."""
        return kept if self.one is None else kept.float() / self.one


# Fixed point: errors of 1/131070 at any size, where half precision has larger ones near 1.
FORMS = {"fp32": Form(torch.float32, None, 4), "uint16": Form(torch.uint16, 65535.0, 2)}


class PrecomputedSignals:
    """One pass of the teacher over the training set, kept in memory without padding.

    The attention of an example with L tokens takes matched layers x heads x L x L numbers.

    Args:
        live: the teacher.
        split: training examples.
        batches: every row of the split once, on the teacher's device.
        attention: name of one of `FORMS`.
        store: the device that keeps the signals.
    """

    def __init__(
        self,
        live: LiveSignals,
        split: EncodedSplit,
        batches: Iterable[Batch],
        attention: str = "fp32",
        store: torch.device | None = None,
    ) -> None:
        self.lengths = split.lengths
        self.form = FORMS[attention]
        self.store = store or CPU
        self.logits: Tensor | None = None
        self.cls: Tensor | None = None
        self.attention: KeptAttention | None = None
        every = range(1, len(live.wanted.layers) + 1)
        for batch in batches:
            self._keep(batch, live(batch, every, logits=True))

    def _keep(self, batch: Batch, signals: Signals) -> None:
        assert signals.logits is not None
        self.logits = self._stored(self.logits, batch, signals.logits)
        if signals.cls is not None:
            self.cls = self._stored(self.cls, batch, signals.cls)
        if signals.attention is not None:
            packed = self.form.pack(signals.attention).to(self.store)
            if self.attention is None:
                layers, heads = packed.shape[1:3]
                self.attention = keep_attention(
                    self.lengths, layers, heads, self.form.dtype, self.store
                )
            self.attention.keep(batch, packed)

    def _stored(self, kept: Tensor | None, batch: Batch, values: Tensor) -> Tensor:
        if kept is None:
            kept = values.new_empty((len(self.lengths), *values.shape[1:]), device=self.store)
        kept[self._index(batch)] = values.to(self.store)
        return kept

    def _index(self, batch: Batch) -> Tensor:
        """The batch's rows where the signals are kept."""
        here = batch.index.device.type == self.store.type
        return batch.index if here else torch.from_numpy(batch.rows)

    def __call__(self, batch: Batch, layers: Sequence[int], logits: bool) -> Signals:
        """Signals of `batch` on its device, padded to its width."""
        assert self.logits is not None
        device, index = batch.input_ids.device, self._index(batch)
        chosen = [layer - 1 for layer in layers]
        cls = attention = None
        if self.cls is not None and chosen:
            cls = moved(select_layers(self.cls[index], chosen), device)
        if self.attention is not None and chosen:
            attention = self.form.unpack(moved(self.attention.read(batch, chosen), device))
        return Signals(moved(self.logits[index], device) if logits else None, cls, attention)


def precomputed_bytes(
    lengths: np.ndarray, wanted: Wanted, heads: int, hidden: int, attention: str = "fp32"
) -> int:
    """Memory that precomputed signals of examples with these token counts take, in bytes.

    Args:
        lengths: tokens of each example.
        wanted: which signals are kept.
        heads: of a teacher layer.
        hidden: width of a [CLS] vector, which is kept in fp32.
        attention: name of one of `FORMS`.
    """
    layers = len(wanted.layers)
    numbers = layers * heads * int((lengths.astype(np.int64) ** 2).sum())
    cls = layers * hidden * len(lengths)
    return FORMS[attention].bytes * numbers * wanted.attention + 4 * cls * wanted.cls


def signal_source(
    teacher: FrozenTeacher,
    split: EncodedSplit,
    wanted: Wanted,
    *,
    source: str,
    budget_mb: float,
    attention: str = "fp32",
    pad_token_id: int,
    device: torch.device,
    batch_size: int = 64,
) -> SignalSource:
    """Precomputed signals where they fit the budget (or are asked for), live ones otherwise.

    Args:
        teacher: on `device`.
        split: training examples.
        wanted: which signals the losses need.
        source: `precomputed`, `live`, or `auto` for what the budget allows.
        budget_mb: memory for precomputed signals, in millions of bytes.
        attention: how attention probabilities are kept, `fp32` or `uint16`.
        pad_token_id: of the tokenizer.
        device: where the student is trained; signals are kept there if they fit.
        batch_size: examples per pass of the teacher.
    """
    live = LiveSignals(teacher, wanted)
    config = teacher.model.config
    needed = precomputed_bytes(
        split.lengths, wanted, config.num_attention_heads, config.hidden_size, attention
    )
    if source == "live" or (source == "auto" and needed > budget_mb * 1e6):
        return live
    batches = (batch.to(device) for batch in sorted_batches(split, batch_size, pad_token_id))
    return PrecomputedSignals(live, split, batches, attention, _store(device, needed))


def _store(device: torch.device, needed: int) -> torch.device:
    """The device itself if its free memory holds twice what is needed, otherwise the CPU."""
    if device.type == "cuda" and 2 * needed > torch.cuda.mem_get_info(device)[0]:
        return CPU
    return device
