"""Values of all training examples, one after the other and without padding."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from internal_kd.data.batches import Batch

SAME_BITS = {torch.uint16: torch.int16}  # indexing supports few operations on unsigned numbers

Shape = tuple[int | None, ...]


class RaggedValues(ABC):
    """Values of a split, of which an example of L tokens has an array of its own size.

    Args:
        numbers: of all examples, one-dimensional.
        starts: int64 [examples], where each example's numbers start.
        lengths: int64 [examples], its tokens.
        shape: of an example's array, its layers first; None for an axis of L.
    """

    def __init__(
        self,
        numbers: Tensor,
        starts: npt.NDArray[np.int64],
        lengths: npt.NDArray[np.int64],
        shape: Shape,
    ) -> None:
        self.numbers, self.starts, self.lengths, self.shape = numbers, starts, lengths, shape

    @abstractmethod
    def read(self, batch: Batch, chosen: Sequence[int]) -> Tensor:
        """Values of a batch in these zero-based layers, zero at padding.

        Returns `[batch, layers chosen, ...]` in the form that they are stored in, with the batch's
        width for L.
        """


class CopiedValues(RaggedValues):
    """A copy per example: the fastest way on a CPU."""

    def read(self, batch: Batch, chosen: Sequence[int]) -> Tensor:
        """See `RaggedValues.read`."""
        low, high = min(chosen), max(chosen) + 1
        views = [self._view(row)[low:high] for row in batch.rows]
        if batch.padded:
            width = batch.input_ids.shape[1]
            shape = [width if size is None else size for size in self.shape[1:]]
            stacked = self.numbers.new_zeros((len(views), high - low, *shape))
            for position, view in enumerate(views):
                stacked[position][tuple(slice(size) for size in view.shape)] = view
        else:
            stacked = torch.stack(views)
        return select_layers(stacked, [layer - low for layer in chosen])

    def _view(self, row: int) -> Tensor:
        """The array of one example."""
        length, start = int(self.lengths[row]), int(self.starts[row])
        shape = [length if size is None else size for size in self.shape]
        return self.numbers[start : start + math.prod(shape)].view(shape)


class GatheredValues(RaggedValues):
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
        """See `RaggedValues.read`."""
        low, high = min(chosen), max(chosen) + 1
        places, padding = self._places(batch, low, high)
        stacked = self._bits[places].masked_fill_(padding, 0).view(self.numbers.dtype)
        return select_layers(stacked, [layer - low for layer in chosen])

    def _places(self, batch: Batch, low: int, high: int) -> tuple[Tensor, Tensor]:
        """Where layers `low` to `high` - 1 lie, and which places are padding.

        Returns int64 `[batch, layers, ...]`, any valid place at padding, and bool that broadcasts
        to it.
        """
        lengths, width = self._lengths[batch.index], batch.input_ids.shape[1]
        axes = len(self.shape)
        places = self._starts[batch.index].view(-1, *[1] * axes)
        padding = torch.zeros_like(places, dtype=torch.bool)
        stride = torch.ones_like(lengths)
        for axis in reversed(range(axes)):
            size = self.shape[axis]
            first, end = (low, high) if axis == 0 else (0, width if size is None else size)
            steps = torch.arange(first, end, device=lengths.device)
            steps = steps.view(-1, *[1] * (axes - 1 - axis))
            places = places + steps * stride.view(-1, *[1] * axes)
            if size is None:
                padding = padding | (steps >= lengths.view(-1, *[1] * axes))
            stride = stride * (lengths if size is None else size)
        return places.masked_fill_(padding, 0), padding


def ragged_values(
    numbers: Tensor,
    starts: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    shape: Shape,
) -> RaggedValues:
    """The way of reading values that suits their device; see `RaggedValues`."""
    kind = CopiedValues if numbers.device.type == "cpu" else GatheredValues
    return kind(numbers, starts, lengths, shape)


def select_layers(values: Tensor, chosen: Sequence[int]) -> Tensor:
    """`[batch, layers, ...]` cut to the chosen layers; a view where they lie side by side.

    A list as an index would be copied to the device, and waited for.
    """
    low, high = min(chosen), max(chosen) + 1
    if list(chosen) == list(range(low, high)):
        return values[:, low:high]
    return torch.stack([values[:, layer] for layer in chosen], dim=1)
