"""What the teacher says about every training example: computed once, or for each batch."""

import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from internal_kd.data.batches import CPU, Batch, Rows, moved
from internal_kd.data.encoding import EncodedSplit
from internal_kd.distillation.kept_attention import KeptAttention, keep_attention, select_layers
from internal_kd.distillation.losses.attention import attention_entropy
from internal_kd.models.representations import Representations, probabilities


@dataclass(frozen=True)
class Signals:
    """The teacher's part of the losses for one batch.

    Attributes:
        logits: `[batch, classes]`; None where they were not asked for.
        cls: `[batch, layers asked for, hidden size]`.
        attention: probabilities, `[batch, layers asked for, heads, tokens, tokens]`; zero in the
            columns and rows of padding.
        entropy: of the attention, `[batch, layers asked for]`, see `attention_entropy`.
    """

    logits: Tensor | None
    cls: Tensor | None = None
    attention: Tensor | None = None
    entropy: Tensor | None = None


@dataclass(frozen=True)
class Wanted:
    """Which signals the losses need, and from which one-based teacher layers, bottom first."""

    layers: tuple[int, ...] = ()
    cls: bool = False
    attention: bool = False

    def __or__(self, other: "Wanted") -> "Wanted":
        """What both want, who have the same layers if they have any."""
        return Wanted(
            self.layers or other.layers, self.cls or other.cls, self.attention or other.attention
        )


Teacher = Callable[[Batch, int | None], Representations]


class OfBatch:
    """What has been made of the batch at hand, for all who ask for the same."""

    def __init__(self) -> None:
        self._rows: Rows | None = None
        self._made: dict[Any, Any] = {}

    def __call__(self, batch: Batch, key: Any, make: Callable[[], Any]) -> Any:
        """What `make` gave when it was first asked for by `key`, until the next batch comes."""
        if batch.rows is not self._rows:
            self._rows, self._made = batch.rows, {}
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]


class SignalSource(Protocol):
    """Gives the signals of a batch."""

    def __call__(self, batch: Batch, layers: Sequence[int], logits: bool) -> Signals:
        """Signals of `batch` from the teacher layers of these one-based student layers."""
        ...


class LiveSignals:
    """A forward pass of the teacher for each batch, no higher than is asked for."""

    def __init__(self, teacher: Teacher, wanted: Wanted) -> None:
        self.teacher = teacher
        self.wanted = wanted

    def __call__(self, batch: Batch, layers: Sequence[int], logits: bool) -> Signals:
        """Signals of `batch`, see `Signals`."""
        chosen = [self.wanted.layers[layer - 1] for layer in layers] if self.wanted.layers else []
        outputs = self.teacher(batch, None if logits else max(chosen))
        cls = attention = entropy = None
        if self.wanted.cls and chosen:
            cls = torch.stack([outputs.cls[k - 1] for k in chosen], 1).float()
        if self.wanted.attention and chosen:
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
        self.entropy: Tensor | None = None
        self.assembled: OfBatch | None = None
        every = range(1, len(live.wanted.layers) + 1)
        for batch in batches:
            self._keep(batch, live(batch, every, logits=True))

    def _keep(self, batch: Batch, signals: Signals) -> None:
        assert signals.logits is not None
        self.logits = self._stored(self.logits, batch, signals.logits)
        if signals.cls is not None:
            self.cls = self._stored(self.cls, batch, signals.cls)
        if signals.attention is not None:
            packed = self.form.pack(signals.attention)
            entropy = entropy_of(self.form.unpack(packed), batch)
            self.entropy = self._stored(self.entropy, batch, entropy)
            packed = packed.to(self.store)
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

    def shared(self, among: Sequence[Wanted]) -> "list[PrecomputedSignals]":
        """Sources for several students in step, each of which gets what it wants of these."""
        self.assembled = OfBatch() if len(among) > 1 else None
        sources = [copy.copy(self) for _ in among]
        for source, wanted in zip(sources, among, strict=True):
            source.cls = self.cls if wanted.cls else None
            source.attention = self.attention if wanted.attention else None
            source.entropy = self.entropy if wanted.attention else None
        return sources

    def __call__(self, batch: Batch, layers: Sequence[int], logits: bool) -> Signals:
        """Signals of `batch` on its device, padded to its width."""
        assert self.logits is not None
        device, index = batch.input_ids.device, self._index(batch)
        chosen = [layer - 1 for layer in layers]
        cls = attention = entropy = None
        if self.cls is not None and chosen:
            cls = moved(select_layers(self.cls[index], chosen), device)
        if self.entropy is not None and chosen:
            attention = self._once(batch, chosen)
            entropy = moved(select_layers(self.entropy[index], chosen), device)
        known = moved(self.logits[index], device) if logits else None
        return Signals(known, cls, attention, entropy)

    def _once(self, batch: Batch, chosen: list[int]) -> Tensor:
        """Attention probabilities; students in step who ask for the same layers share them."""
        kept, device = self.attention, batch.input_ids.device
        assert kept is not None

        def unpacked() -> Tensor:
            return self.form.unpack(moved(kept.read(batch, chosen), device))

        if self.assembled is None:
            return unpacked()
        attention: Tensor = self.assembled(batch, tuple(chosen), unpacked)
        return attention


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
    entropies = 8 * layers * len(lengths)
    attentions = FORMS[attention].bytes * numbers + entropies
    return attentions * wanted.attention + 4 * cls * wanted.cls
