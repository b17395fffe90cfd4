"""Batches padded to their longest example, of examples of similar length."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from internal_kd.data.encoding import EncodedSplit

CPU = torch.device("cpu")
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
        index: the same as a tensor, on the device of the others.
        padded: False if no position is padding.
    """

    input_ids: torch.Tensor
    token_type_ids: torch.Tensor
    attention_mask: torch.Tensor
    labels: torch.Tensor
    rows: Rows
    index: torch.Tensor
    padded: bool = True

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch with its tensors on `device`."""
        return Batch(
            input_ids=moved(self.input_ids, device),
            token_type_ids=moved(self.token_type_ids, device),
            attention_mask=moved(self.attention_mask, device),
            labels=moved(self.labels, device),
            rows=self.rows,
            index=moved(self.index, device),
            padded=self.padded,
        )


def moved(values: torch.Tensor, device: torch.device | str) -> torch.Tensor:
    """The tensor on `device`; a copy to a GPU from pinned memory, which nobody waits for."""
    if values.device.type == "cpu" and torch.device(device).type == "cuda":
        values = values.pin_memory()
    return values.to(device, non_blocking=True)


class ResidentSplit:
    """A split on a device; its batches are gathered there from row numbers alone."""

    def __init__(self, split: EncodedSplit, device: torch.device) -> None:
        self.host_lengths = split.lengths
        self.device = device
        self.input_ids = moved(torch.from_numpy(split.input_ids), device)
        self.token_type_ids = moved(torch.from_numpy(split.token_type_ids), device)
        self.starts = moved(torch.from_numpy(split.offsets[:-1].astype(np.int64)), device)
        self.lengths = moved(torch.from_numpy(split.lengths.astype(np.int64)), device)
        self.labels = moved(torch.from_numpy(split.labels), device)

    def batches(
        self, order: list[Rows], pad_token_id: int, widths: list[int | None]
    ) -> Iterator[Batch]:
        """What `assemble` gives for each element of `order`; their row numbers go over at once."""
        if not order:
            return
        every = moved(torch.from_numpy(np.concatenate(order)), self.device)
        indices = every.split([len(rows) for rows in order])
        for rows, index, tokens in zip(order, indices, widths, strict=True):
            yield self._batch(rows, index, pad_token_id, tokens)

    def _batch(
        self, rows: Rows, index: torch.Tensor, pad_token_id: int, tokens: int | None
    ) -> Batch:
        host_lengths = self.host_lengths[rows]
        longest = int(host_lengths.max())
        columns = torch.arange(tokens or longest, device=self.device)
        mask = columns < self.lengths[index][:, None]
        places = (self.starts[index][:, None] + columns).clamp_(max=len(self.input_ids) - 1)
        return Batch(
            input_ids=self.input_ids[places].long().masked_fill_(~mask, pad_token_id),
            token_type_ids=self.token_type_ids[places].long() * mask,
            attention_mask=mask.long(),
            labels=self.labels[index],
            rows=rows,
            index=index,
            padded=tokens is not None or bool((host_lengths < longest).any()),
        )


class LengthBucketedBatches:
    """Training batches: every row exactly once per epoch, in an order set by (seed, epoch) alone.

    Rows are shuffled, sorted by length inside equal windows of about `WINDOW_BATCHES` batches, cut
    into batches, and the batches shuffled. With `bucketing=False` the rows are only shuffled.

    Args:
        split: the examples.
        batch_size: examples per batch.
        seed: of the order.
        pad_token_id: of the tokenizer.
        bucketing: whether examples of similar length share a batch.
        device: where the batches are needed; on a GPU the whole split is stored there.
        multiple: batches are this wide or a multiple of it, but no wider than the longest example.
    """

    def __init__(
        self,
        split: EncodedSplit,
        batch_size: int,
        seed: int,
        pad_token_id: int,
        bucketing: bool = True,
        device: torch.device = CPU,
        multiple: int = 1,
    ) -> None:
        self.split = split
        self.batch_size = batch_size
        self.seed = seed
        self.pad_token_id = pad_token_id
        self.bucketing = bucketing
        self.device = device
        self.multiple = multiple
        self._lengths = split.lengths
        self._resident = ResidentSplit(split, device) if device.type == "cuda" else None

    def __len__(self) -> int:
        """Batches per epoch; the last rows make a smaller one."""
        return -(-len(self.split) // self.batch_size)

    @property
    def examples(self) -> int:
        """Examples of an epoch."""
        return len(self.split)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch (any integer from 0), from the one with number `start` on."""
        yield from self.made(self.order(epoch)[start:])

    def made(self, order: list[Rows]) -> Iterator[Batch]:
        """Batches of these rows."""
        widths = [self._width(rows) for rows in order]
        if self._resident is not None:
            yield from self._resident.batches(order, self.pad_token_id, widths)
            return
        for rows, tokens in zip(order, widths, strict=True):
            yield assemble(self.split, rows, self.pad_token_id, tokens)

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
        positions = sum(
            len(rows) * (self._width(rows) or self._lengths[rows].max())
            for rows in self.order(epoch)
        )
        return float(self._lengths.sum() / positions)

    def _width(self, rows: Rows) -> int | None:
        """Tokens that a batch is padded to; None for its longest example's.

        Not beyond the longest example of all: the model may have no positions there.
        """
        if self.multiple == 1:
            return None
        longest = int(self._lengths[rows].max())
        return min(-(-longest // self.multiple) * self.multiple, int(self._lengths.max()))

    def _window_size(self) -> int:
        windows = max(1, round(len(self) / WINDOW_BATCHES))
        return self.batch_size * -(-len(self) // windows)

    def _by_length(self, rows: Rows) -> Rows:
        return rows[np.argsort(self._lengths[rows], kind="stable")]


def order_by_length(split: EncodedSplit) -> Rows:
    """Rows of a split from the shortest to the longest example, int64 [examples]."""
    return np.argsort(split.lengths, kind="stable")


def sorted_batches(split: EncodedSplit, batch_size: int, pad_token_id: int) -> Iterator[Batch]:
    """Batches for passes without training: every row once, from short to long."""
    for rows in cut(order_by_length(split), batch_size):
        yield assemble(split, rows, pad_token_id)


def cut(rows: Rows, size: int) -> list[Rows]:
    """Consecutive pieces of `size` rows; the last one holds the rest."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def assemble(
    split: EncodedSplit, rows: Rows, pad_token_id: int, tokens: int | None = None
) -> Batch:
    """The examples at positions `rows` [b] of the split as one padded batch.

    Args:
        split: the examples.
        rows: their positions.
        pad_token_id: of the tokenizer.
        tokens: width of the batch, None for the longest example's. A batch of a given width
            counts as padded even if nothing is, so that such batches differ in nothing else.
    """
    starts = split.offsets[rows]
    lengths = split.offsets[rows + 1] - starts
    columns = np.arange(tokens or lengths.max())
    mask = columns < lengths[:, None]
    places = (starts[:, None] + columns)[mask]
    return Batch(
        input_ids=_padded(split.input_ids[places], mask, pad_token_id),
        token_type_ids=_padded(split.token_type_ids[places], mask, 0),
        attention_mask=torch.from_numpy(mask.astype(np.int64)),
        labels=torch.from_numpy(split.labels[rows]),
        rows=rows,
        index=torch.from_numpy(rows),
        padded=tokens is not None or not mask.all(),
    )


def _padded(
    values: npt.NDArray[np.int32] | npt.NDArray[np.uint8], mask: npt.NDArray[np.bool_], fill: int
) -> torch.Tensor:
    padded = np.full(mask.shape, fill, dtype=np.int64)
    padded[mask] = values
    return torch.from_numpy(padded)
