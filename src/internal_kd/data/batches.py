"""Batches padded to their longest example, of examples of similar length."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from internal_kd.data.encoding import EncodedSplit

WINDOW_BATCHES = 50

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """b examples padded on the right to the longest one, l tokens.

    Attributes:
        input_ids: int64 [b, l].
        token_type_ids: int64 [b, l], 0 on padding.
        attention_mask: int64 [b, l], 1 on tokens and 0 on padding.
        labels: int64 [b], -1 where unlabelled.
        rows: int64 [b] (numpy), positions in the EncodedSplit.
        padded: False if no position is padding.
    """

    input_ids: torch.Tensor
    token_type_ids: torch.Tensor
    attention_mask: torch.Tensor
    labels: torch.Tensor
    rows: Rows
    padded: bool = True

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch with its tensors on `device`."""
        return Batch(
            input_ids=self.input_ids.to(device, non_blocking=True),
            token_type_ids=self.token_type_ids.to(device, non_blocking=True),
            attention_mask=self.attention_mask.to(device, non_blocking=True),
            labels=self.labels.to(device, non_blocking=True),
            rows=self.rows,
            padded=self.padded,
        )


class LengthBucketedBatches:
    """Training batches: every row exactly once per epoch, in an order set by (seed, epoch) alone.

    Rows are shuffled, sorted by length inside equal windows of about `WINDOW_BATCHES` batches, cut
    into batches, and the batches shuffled. With `bucketing=False` the rows are only shuffled.
    """

    def __init__(
        self,
        split: EncodedSplit,
        batch_size: int,
        seed: int,
        pad_token_id: int,
        bucketing: bool = True,
    ) -> None:
        self.split = split
        self.batch_size = batch_size
        self.seed = seed
        self.pad_token_id = pad_token_id
        self.bucketing = bucketing
        self._lengths = split.lengths

    def __len__(self) -> int:
        """Batches per epoch; the last rows make a smaller one."""
        return -(-len(self.split) // self.batch_size)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch (any integer from 0), from the one with number `start` on."""
        for rows in self.order(epoch)[start:]:
            yield assemble(self.split, rows, self.pad_token_id)

    def order(self, epoch: int) -> list[Rows]:
        """The rows of each batch of one epoch."""
        rng = np.random.default_rng([self.seed, epoch])
        rows = rng.permutation(len(self.split))
        if not self.bucketing:
            return cut(rows, self.batch_size)
        windows = cut(rows, self._window_size())
        batches = [b for window in windows for b in cut(self._by_length(window), self.batch_size)]
        return [batches[i] for i in rng.permutation(len(batches))]

    def real_share(self, epoch: int = 1) -> float:
        """Real tokens for each position, padding included, in the batches of an epoch."""
        positions = sum(len(rows) * self._lengths[rows].max() for rows in self.order(epoch))
        return float(self._lengths.sum() / positions)

    def _window_size(self) -> int:
        windows = max(1, round(len(self) / WINDOW_BATCHES))
        return self.batch_size * -(-len(self) // windows)

    def _by_length(self, rows: Rows) -> Rows:
        return rows[np.argsort(self._lengths[rows], kind="stable")]


class SharedBatches(LengthBucketedBatches):
    """The same batches for several trainings in step: each is assembled and moved once.

    Args:
        device: where the batches go.
        others: see `LengthBucketedBatches`.
    """

    def __init__(self, *others: Any, device: torch.device) -> None:
        super().__init__(*others)
        self.device = device
        self._orders: dict[int, list[Rows]] = {}
        self._kept: dict[tuple[int, int], Batch] = {}

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch, on the device."""
        for number in range(start, len(self)):
            if (epoch, number) not in self._kept:
                rows = self.order(epoch)[number]
                batch = assemble(self.split, rows, self.pad_token_id).to(self.device)
                self._kept = {(epoch, number): batch}
            yield self._kept[epoch, number]

    def order(self, epoch: int) -> list[Rows]:
        """The rows of each batch of one epoch."""
        if epoch not in self._orders:
            self._orders = {epoch: super().order(epoch)}
        return self._orders[epoch]


def sorted_batches(split: EncodedSplit, batch_size: int, pad_token_id: int) -> Iterator[Batch]:
    """Batches for passes without training: every row once, from short to long."""
    for rows in cut(np.argsort(split.lengths, kind="stable"), batch_size):
        yield assemble(split, rows, pad_token_id)


def cut(rows: Rows, size: int) -> list[Rows]:
    """Consecutive pieces of `size` rows; the last one holds the rest."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def assemble(split: EncodedSplit, rows: Rows, pad_token_id: int) -> Batch:
    """The examples at positions `rows` [b] of the split as one padded batch."""
    starts = split.offsets[rows]
    lengths = split.offsets[rows + 1] - starts
    columns = np.arange(lengths.max())
    mask = columns < lengths[:, None]
    tokens = (starts[:, None] + columns)[mask]
    return Batch(
        input_ids=_padded(split.input_ids[tokens], mask, pad_token_id),
        token_type_ids=_padded(split.token_type_ids[tokens], mask, 0),
        attention_mask=torch.from_numpy(mask.astype(np.int64)),
        labels=torch.from_numpy(split.labels[rows]),
        rows=rows,
        padded=not mask.all(),
    )


def _padded(values: npt.NDArray[Any], mask: npt.NDArray[np.bool_], fill: int) -> torch.Tensor:
    padded = np.full(mask.shape, fill, dtype=np.int64)
    padded[mask] = values
    return torch.from_numpy(padded)
