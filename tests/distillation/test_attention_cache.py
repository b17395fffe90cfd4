"""Gathering by computed places gives what copying example by example gives."""

import numpy as np
import pytest
import torch

from internal_kd.data.batches import assemble
from internal_kd.distillation.attention_cache import (
    CopiedAttention,
    GatheredAttention,
    attention_cache,
    select_layers,
)
from tests.distillation.splits import tiny_split

LAYERS, HEADS = 3, 2


@pytest.fixture(params=[torch.float32, torch.uint16], ids=str)
def both(request):
    """A split with random attention, and both ways of reading it."""
    split, generator = tiny_split(11), torch.Generator().manual_seed(0)
    sizes = LAYERS * HEADS * split.lengths**2
    order = np.random.default_rng(0).permutation(11)
    starts = np.empty(11, dtype=np.int64)
    starts[order] = np.cumsum(sizes[order]) - sizes[order]
    numbers = torch.rand(int(sizes.sum()), generator=generator) * 65535
    told = (numbers.to(request.param), starts, split.lengths, LAYERS, HEADS)
    return split, CopiedAttention(*told), GatheredAttention(*told)


@pytest.mark.parametrize("chosen", [[0], [1, 2], [0, 1, 2], [0, 2]])
@pytest.mark.parametrize("tokens", [None, 16])
def test_both_ways_read_the_same(both, chosen, tokens) -> None:
    split, copied, gathered = both
    batch = assemble(split, np.array([7, 0, 3]), 0, tokens)
    ours, theirs = gathered.read(batch, chosen), copied.read(batch, chosen)
    assert ours.shape == theirs.shape == (3, len(chosen), HEADS, *(2 * [batch.input_ids.shape[1]]))
    assert torch.equal(ours.float(), theirs.float())
    assert theirs.float().abs().sum() > 0


def test_padding_is_zero(both) -> None:
    split, _, gathered = both
    batch = assemble(split, np.array([7, 0, 3]), 0, 16)
    real = batch.attention_mask.bool()
    inside = (real[:, :, None] & real[:, None, :])[:, None, None]
    assert not gathered.read(batch, [0]).float().masked_fill(inside, 0.0).any()


def test_each_device_has_its_way() -> None:
    told = (np.array([0, 24]), np.array([2, 3]), LAYERS, HEADS)
    numbers = torch.empty(78)
    assert isinstance(attention_cache(numbers, *told), CopiedAttention)
    assert isinstance(attention_cache(numbers.to("meta"), *told), GatheredAttention)


@pytest.mark.parametrize("chosen", [[0], [1, 2], [2, 0]])
def test_chosen_layers(chosen) -> None:
    values = torch.arange(24).view(2, 3, 4)
    assert torch.equal(select_layers(values, chosen), values[:, chosen])
