"""Gathering by computed places gives what copying example by example gives."""

import numpy as np
import pytest
import torch

from internal_kd.data.batches import assemble
from internal_kd.distillation import signals as signals_module
from internal_kd.distillation.kept_attention import (
    GatheredAttention,
    ViewedAttention,
    keep_attention,
    select_layers,
)
from tests.distillation.splits import tiny_split
from tests.distillation.tiny_training import CPU, make_pair

LAYERS, HEADS = 3, 2


@pytest.fixture(params=[torch.float32, torch.uint16], ids=str)
def both(request):
    """A split, and its attention kept in both ways from the same batches."""
    split, generator = tiny_split(11), torch.Generator().manual_seed(0)
    kept = [
        kind(split.lengths, LAYERS, HEADS, request.param, CPU)
        for kind in (ViewedAttention, GatheredAttention)
    ]
    for rows in np.array_split(np.random.default_rng(0).permutation(11), 3):
        batch = assemble(split, rows, pad_token_id=0)
        tokens = batch.input_ids.shape[1]
        shape = (len(rows), LAYERS, HEADS, tokens, tokens)
        values = torch.rand(shape, generator=generator) * 65535
        for way in kept:
            way.keep(batch, values.to(request.param))
    return split, *kept


@pytest.mark.parametrize("chosen", [[0], [1, 2], [0, 1, 2], [0, 2]])
@pytest.mark.parametrize("tokens", [None, 16])
def test_both_ways_read_the_same(both, chosen, tokens) -> None:
    split, viewed, gathered = both
    batch = assemble(split, np.array([7, 0, 3]), 0, tokens)
    ours, theirs = gathered.read(batch, chosen), viewed.read(batch, chosen)
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
    told = (np.array([2, 3]), LAYERS, HEADS, torch.float32)
    assert isinstance(keep_attention(*told, CPU), ViewedAttention)
    assert isinstance(keep_attention(*told, torch.device("meta")), GatheredAttention)


def test_signals_are_the_same(tmp_path, monkeypatch) -> None:
    pair = make_pair(tmp_path, longest=10)
    viewed = pair.signals("precomputed")
    monkeypatch.setattr(signals_module, "keep_attention", GatheredAttention)
    gathered = pair.signals("precomputed")
    assert isinstance(gathered.attention, GatheredAttention)
    batch = assemble(pair.split, np.array([7, 0, 3]), 0)
    ours, theirs = (source(batch, (1, 2), True) for source in (gathered, viewed))
    assert torch.equal(ours.attention, theirs.attention)


@pytest.mark.parametrize("chosen", [[0], [1, 2], [2, 0]])
def test_chosen_layers(chosen) -> None:
    values = torch.arange(24).view(2, 3, 4)
    assert torch.equal(select_layers(values, chosen), values[:, chosen])
