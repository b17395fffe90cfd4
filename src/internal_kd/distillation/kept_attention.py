"""The teacher's attention of all training examples, kept one after the other without padding."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from internal_kd.data.batches import Batch

SAME_BITS = {torch.uint16: torch.int16}  # indexing knows few operations on unsigned numbers


class KeptAttention(ABC):
    """Attention probabilities of a split.

    An example of L tokens takes layers x heads x L x L numbers.

    Args:
        lengths: tokens of each example.
        layers: matched layers that are kept.
        heads: of each of them.
        dtype: of a kept number.
        device: that keeps them.
    """

    spare = 0  # numbers beyond those of the examples

    def __init__(
        self,
        lengths: npt.NDArray[np.int64],
        layers: int,
        heads: int,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self.lengths, self.layers, self.heads, self.device = lengths, layers, heads, device
        sizes = lengths.astype(np.int64) ** 2 * layers * heads
        self.starts = np.concatenate([[0], np.cumsum(sizes)])
        total = int(self.starts[-1]) + self.spare
        self.kept = torch.empty(total, dtype=dtype, device=device)

    @abstractmethod
    def keep(self, batch: Batch, attention: Tensor) -> None:
        """Keep the attention of a batch, `[batch, layers, heads, tokens, tokens]`."""

    @abstractmethod
    def read(self, batch: Batch, chosen: Sequence[int]) -> Tensor:
        """What was kept for these zero-based layers, in the same form, zero at padding."""


class ViewedAttention(KeptAttention):
    """A copy per example: the fastest way on a CPU."""

    def keep(self, batch: Batch, attention: Tensor) -> None:
        """See `KeptAttention.keep`."""
        for position, row in enumerate(batch.rows):
            length = int(self.lengths[row])
            self._view(row).copy_(attention[position, :, :, :length, :length])

    def read(self, batch: Batch, chosen: Sequence[int]) -> Tensor:
        """See `KeptAttention.read`."""
        low, high = min(chosen), max(chosen) + 1
        views = [self._view(row)[low:high] for row in batch.rows]
        if batch.padded:
            tokens = batch.input_ids.shape[1]
            shape = (len(views), high - low, self.heads, tokens, tokens)
            stacked = torch.zeros(shape, dtype=self.kept.dtype, device=self.device)
            for position, view in enumerate(views):
                stacked[position, :, :, : view.shape[2], : view.shape[3]] = view
        else:
            stacked = torch.stack(views)
        return select_layers(stacked, [layer - low for layer in chosen])

    def _view(self, row: int) -> Tensor:
        """Attention of one example, `[layers, heads, tokens, tokens]`."""
        length = int(self.lengths[row])
        kept = self.kept[int(self.starts[row]) : int(self.starts[row + 1])]
        return kept.view(self.layers, self.heads, length, length)


class GatheredAttention(KeptAttention):
    """A few launches per batch, whatever its size: the places of all numbers are computed.

    The last number kept stands for all padding; it is zero whenever it is read.
    """

    spare = 1

    @cached_property
    def _bits(self) -> Tensor:
        return self.kept.view(SAME_BITS.get(self.kept.dtype, self.kept.dtype))

    @cached_property
    def _lengths(self) -> Tensor:
        return torch.from_numpy(self.lengths.astype(np.int64)).to(self.device)

    @cached_property
    def _starts(self) -> Tensor:
        return torch.from_numpy(self.starts[:-1]).to(self.device)

    def keep(self, batch: Batch, attention: Tensor) -> None:
        """See `KeptAttention.keep`."""
        places = self._places(batch, 0, self.layers)
        self._bits[places] = attention.view(self._bits.dtype)
        self._bits[-1:].zero_()

    def read(self, batch: Batch, chosen: Sequence[int]) -> Tensor:
        """See `KeptAttention.read`."""
        low, high = min(chosen), max(chosen) + 1
        stacked = self._bits[self._places(batch, low, high)].view(self.kept.dtype)
        return select_layers(stacked, [layer - low for layer in chosen])

    def _places(self, batch: Batch, low: int, high: int) -> Tensor:
        """Where layers `low` to `high` - 1 lie, int64 `[batch, layers, heads, tokens, tokens]`."""
        lengths = self._lengths[batch.index][:, None]
        columns = torch.arange(batch.input_ids.shape[1], device=self.device)
        real = columns < lengths
        cells = (columns * lengths)[:, :, None] + columns
        first = torch.arange(low * self.heads, high * self.heads, device=self.device) * lengths**2
        first = first + self._starts[batch.index][:, None]
        places = first[:, :, None, None] + cells[:, None]
        padding = ~(real[:, :, None] & real[:, None, :])
        places.masked_fill_(padding[:, None], self._bits.numel() - 1)
        return places.unflatten(1, (high - low, self.heads))


def keep_attention(
    lengths: npt.NDArray[np.int64],
    layers: int,
    heads: int,
    dtype: torch.dtype,
    device: torch.device,
) -> KeptAttention:
    """The way of keeping attention that suits the device; see `KeptAttention`."""
    kind = ViewedAttention if device.type == "cpu" else GatheredAttention
    return kind(lengths, layers, heads, dtype, device)


def select_layers(values: Tensor, chosen: Sequence[int]) -> Tensor:
    """`[batch, layers, ...]` cut to the chosen layers; a view where they lie side by side.

    A list as an index would be copied to the device, and waited for.
    """
    low, high = min(chosen), max(chosen) + 1
    if list(chosen) == list(range(low, high)):
        return values[:, low:high]
    return torch.stack([values[:, layer] for layer in chosen], dim=1)
