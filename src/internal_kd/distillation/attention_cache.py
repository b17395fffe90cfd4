"""The teacher's attention of all training examples, one after the other and without padding."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from internal_kd.data.batches import Batch

SAME_BITS = {torch.uint16: torch.int16}  # indexing knows few operations on unsigned numbers


class AttentionCache(ABC):
    """Attention probabilities of a split; an example of L tokens takes layers x heads x L x L.

    Args:
        numbers: of all examples, one-dimensional.
        starts: int64 [examples], where each example's numbers start.
        lengths: int64 [examples], its tokens.
        layers: matched layers that are stored.
        heads: of each of them.
    """

    def __init__(
        self,
        numbers: Tensor,
        starts: npt.NDArray[np.int64],
        lengths: npt.NDArray[np.int64],
        layers: int,
        heads: int,
    ) -> None:
        self.numbers, self.starts, self.lengths = numbers, starts, lengths
        self.layers, self.heads = layers, heads

    @abstractmethod
    def read(self, batch: Batch, chosen: Sequence[int]) -> Tensor:
        """Attention of a batch in these zero-based layers, zero at padding.

        Returns `[batch, layers chosen, heads, tokens, tokens]` in the form that it is stored in.
        """


class CopiedAttention(AttentionCache):
    """A copy per example: the fastest way on a CPU."""

    def read(self, batch: Batch, chosen: Sequence[int]) -> Tensor:
        """See `AttentionCache.read`."""
        low, high = min(chosen), max(chosen) + 1
        views = [self._view(row)[low:high] for row in batch.rows]
        if batch.padded:
            tokens = batch.input_ids.shape[1]
            shape = (len(views), high - low, self.heads, tokens, tokens)
            stacked = torch.zeros(shape, dtype=self.numbers.dtype, device=self.numbers.device)
            for position, view in enumerate(views):
                stacked[position, :, :, : view.shape[2], : view.shape[3]] = view
        else:
            stacked = torch.stack(views)
        return select_layers(stacked, [layer - low for layer in chosen])

    def _view(self, row: int) -> Tensor:
        """Attention of one example, `[layers, heads, tokens, tokens]`."""
        length, start = int(self.lengths[row]), int(self.starts[row])
        size = self.layers * self.heads * length**2
        return self.numbers[start : start + size].view(self.layers, self.heads, length, length)


class GatheredAttention(AttentionCache):
    """A few launches per batch, whatever its size: the places of all numbers are computed.

    The numbers lie on the device of the batches.
    """

    @cached_property
    def _bits(self) -> Tensor:
        return self.numbers.view(SAME_BITS.get(self.numbers.dtype, self.numbers.dtype))

    @cached_property
    def _lengths(self) -> Tensor:
        return torch.from_numpy(self.lengths.astype(np.int64)).to(self.numbers.device)

    @cached_property
    def _starts(self) -> Tensor:
        return torch.from_numpy(self.starts).to(self.numbers.device)

    def read(self, batch: Batch, chosen: Sequence[int]) -> Tensor:
        """See `AttentionCache.read`."""
        low, high = min(chosen), max(chosen) + 1
        places, padding = self._places(batch, low, high)
        stacked = self._bits[places].masked_fill_(padding, 0).view(self.numbers.dtype)
        return select_layers(stacked, [layer - low for layer in chosen])

    def _places(self, batch: Batch, low: int, high: int) -> tuple[Tensor, Tensor]:
        """Where layers `low` to `high` - 1 lie, and which places are padding.

        Returns int64 `[batch, layers, heads, tokens, tokens]`, any valid place at padding, and bool
        `[batch, 1, 1, tokens, tokens]`.
        """
        lengths = self._lengths[batch.index][:, None]
        columns = torch.arange(batch.input_ids.shape[1], device=lengths.device)
        real = columns < lengths
        cells = (columns * lengths)[:, :, None] + columns
        first = torch.arange(low * self.heads, high * self.heads, device=lengths.device)
        first = first * lengths**2 + self._starts[batch.index][:, None]
        padding = ~(real[:, :, None] & real[:, None, :])
        places = first[:, :, None, None] + cells[:, None]
        places.masked_fill_(padding[:, None], 0)
        return places.unflatten(1, (high - low, self.heads)), padding[:, None, None]


def attention_cache(
    numbers: Tensor,
    starts: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    layers: int,
    heads: int,
) -> AttentionCache:
    """The way of reading attention that suits its device; see `AttentionCache`."""
    kind = CopiedAttention if numbers.device.type == "cpu" else GatheredAttention
    return kind(numbers, starts, lengths, layers, heads)


def select_layers(values: Tensor, chosen: Sequence[int]) -> Tensor:
    """`[batch, layers, ...]` cut to the chosen layers; a view where they lie side by side.

    A list as an index would be copied to the device, and waited for.
    """
    low, high = min(chosen), max(chosen) + 1
    if list(chosen) == list(range(low, high)):
        return values[:, low:high]
    return torch.stack([values[:, layer] for layer in chosen], dim=1)
