"""Gathering by computed places gives what copying example by example gives."""

import math

import numpy as np
import pytest
import torch

from internal_kd.data.batches import assemble
from internal_kd.distillation.signal_store import (
    CopiedValues,
    GatheredValues,
    ragged_values,
    select_layers,
)
from tests.distillation.splits import tiny_split

# Attention, hidden states, queries: None is an example's number of tokens.
SHAPES = [(3, 2, None, None), (3, None, 5), (3, 2, None, 4)]


@pytest.fixture(params=[torch.float32, torch.uint16], ids=str)
def dtype(request):
    return request.param


@pytest.fixture(params=SHAPES, ids=str)
def both(request, dtype):
    """A split with random values, and both ways of reading them."""
    split, shape, generator = tiny_split(11), request.param, torch.Generator().manual_seed(0)
    fixed = math.prod(size for size in shape if size is not None)
    sizes = fixed * split.lengths ** shape.count(None)
    order = np.random.default_rng(0).permutation(11)
    starts = np.empty(11, dtype=np.int64)
    starts[order] = np.cumsum(sizes[order]) - sizes[order]
    numbers = (1 + torch.rand(int(sizes.sum()), generator=generator) * 65534).to(dtype)
    layout = (numbers, starts, split.lengths, shape)
    return split, CopiedValues(*layout), GatheredValues(*layout)


@pytest.mark.parametrize("chosen", [[0], [1, 2], [0, 1, 2], [0, 2]])
@pytest.mark.parametrize("tokens", [None, 16])
def test_both_implementations_read_the_same_values(both, chosen, tokens) -> None:
    split, copied, gathered = both
    batch = assemble(split, np.array([7, 0, 3]), 0, tokens)
    ours, theirs = gathered.read(batch, chosen), copied.read(batch, chosen)
    width = batch.input_ids.shape[1]
    expected = [width if size is None else size for size in copied.shape[1:]]
    assert ours.shape == theirs.shape == (3, len(chosen), *expected)
    assert torch.equal(ours.float(), theirs.float())


@pytest.mark.parametrize("rows", [[7, 0, 3], [2]])
def test_values_stand_where_they_were_stored(both, rows) -> None:
    split, copied, _ = both
    batch = assemble(split, np.array(rows), 0)
    found = copied.read(batch, [0, 1, 2])
    for position, row in enumerate(rows):
        length = int(split.lengths[row])
        shape = [length if size is None else size for size in copied.shape]
        start = int(copied.starts[row])
        expected = copied.numbers[start : start + math.prod(shape)].view(shape)
        own = found[position][tuple(slice(size) for size in shape)]
        assert torch.equal(own.float(), expected.float())
        assert int((found[position].float() != 0).sum()) == math.prod(shape)


def test_each_device_has_its_implementation() -> None:
    layout = (np.array([0, 24]), np.array([2, 3]), SHAPES[0])
    numbers = torch.empty(78)
    assert isinstance(ragged_values(numbers, *layout), CopiedValues)
    assert isinstance(ragged_values(numbers.to("meta"), *layout), GatheredValues)


@pytest.mark.parametrize("chosen", [[0], [1, 2], [2, 0]])
def test_chosen_layers(chosen) -> None:
    values = torch.arange(24).view(2, 3, 4)
    assert torch.equal(select_layers(values, chosen), values[:, chosen])
