"""Where each student's signals come from, and what students in step share of them."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

import torch

from internal_kd.data.batches import Batch, sorted_batches
from internal_kd.data.encoding import EncodedSplit
from internal_kd.distillation.signals import (
    LiveSignals,
    OfBatch,
    PrecomputedSignals,
    SignalSource,
    Teacher,
    Wanted,
    precomputed_bytes,
)
from internal_kd.models.representations import Representations
from internal_kd.models.teacher import FrozenTeacher


class SharedTeacher:
    """A teacher that several students ask in step: one pass per batch and depth.

    A pass that goes deeper does not stand in for another: the last layer run computes [CLS] alone,
    which rounds otherwise than all tokens do, and a student beside others gets the numbers that it
    gets alone.
    """

    def __init__(self, teacher: Teacher) -> None:
        self.teacher = teacher
        self.passes = OfBatch()

    def __call__(self, batch: Batch, depth: int | None) -> Representations:
        """Representations of every layer up to `depth`, see `represent`."""
        found: Representations = self.passes(batch, depth, lambda: self.teacher(batch, depth))
        return found


class SignalPool:
    """Sources of signals for students in step, each precomputed or live as it would be alone.

    Args:
        teacher: on `device`.
        split: training examples.
        source: `precomputed`, `live`, or `auto` for what the budget allows.
        budget_mb: memory for precomputed signals, in millions of bytes.
        attention: how attention probabilities are kept, `fp32` or `uint16`.
        pad_token_id: of the tokenizer.
        device: where the students are trained; signals are kept there if they fit.
        batch_size: examples per pass of the teacher.
    """

    def __init__(
        self,
        teacher: FrozenTeacher,
        split: EncodedSplit,
        *,
        source: str,
        budget_mb: float,
        attention: str = "fp32",
        pad_token_id: int,
        device: torch.device,
        batch_size: int = 64,
    ) -> None:
        self.teacher = teacher
        self.split = split
        self.source = source
        self.budget_mb = budget_mb
        self.attention = attention
        self.pad_token_id = pad_token_id
        self.device = device
        self.batch_size = batch_size

    def admitted(self, wanted: Sequence[Wanted]) -> list[bool]:
        """For each student whether the budget holds its signals beside those admitted before it."""
        union, admitted = Wanted(), []
        for one in wanted:
            fits = not self._kept(one) or self._kept(union | one)
            union = union | one if fits and self._kept(one) else union
            admitted.append(fits)
        return admitted

    def sources(self, wanted: Sequence[Wanted]) -> list[SignalSource]:
        """A source for each of these students, all of whom are admitted."""
        kept = [one for one in wanted if self._kept(one)]
        several = len(wanted) - len(kept) > 1
        teacher = SharedTeacher(self.teacher) if several else self.teacher
        precomputed = iter(self._precomputed(kept).shared(kept) if kept else [])
        return [
            next(precomputed) if self._kept(one) else LiveSignals(teacher, one) for one in wanted
        ]

    def _kept(self, wanted: Wanted) -> bool:
        """Whether these signals are precomputed."""
        fits = self._bytes(wanted) <= self.budget_mb * 1e6
        return self.source == "precomputed" or (self.source == "auto" and fits)

    def _precomputed(self, wanted: Sequence[Wanted]) -> PrecomputedSignals:
        union = reduce(or_, wanted)
        batches = sorted_batches(self.split, self.batch_size, self.pad_token_id)
        return PrecomputedSignals(
            LiveSignals(self.teacher, union),
            self.split,
            (batch.to(self.device) for batch in batches),
            self.attention,
            _store(self.device, self._bytes(union)),
        )

    def _bytes(self, wanted: Wanted) -> int:
        config = self.teacher.model.config
        heads, hidden = config.num_attention_heads, config.hidden_size
        return precomputed_bytes(self.split.lengths, wanted, heads, hidden, self.attention)


def signal_source(
    teacher: FrozenTeacher, split: EncodedSplit, wanted: Wanted, **told: Any
) -> SignalSource:
    """The source for one student, told as `SignalPool` is."""
    return SignalPool(teacher, split, **told).sources([wanted])[0]


def _store(device: torch.device, needed: int) -> torch.device:
    """The device itself if its free memory holds twice what is needed, otherwise the CPU."""
    if device.type == "cuda" and 2 * needed > torch.cuda.mem_get_info(device)[0]:
        return torch.device("cpu")
    return device
