"""Batches gathered on a device are those assembled in numpy, also where a width is given."""

import numpy as np
import pytest
import torch

from internal_kd.data import batches as module
from internal_kd.data.batches import LengthBucketedBatches, ResidentSplit, assemble
from tests.distillation.splits import tiny_split

CPU = torch.device("cpu")
TENSORS = ("input_ids", "token_type_ids", "attention_mask", "labels", "index")


def assert_same_batches(ours, theirs) -> None:
    for mine, other in zip(ours, theirs, strict=True):
        for name in TENSORS:
            assert torch.equal(getattr(mine, name), getattr(other, name)), name
            assert getattr(mine, name).dtype == getattr(other, name).dtype
        assert np.array_equal(mine.rows, other.rows)
        assert mine.padded == other.padded


@pytest.fixture
def split():
    split = tiny_split(23)
    split.token_type_ids[::3] = 1
    return split


@pytest.mark.parametrize("tokens", [None, 16])
def test_gathered_batches_are_the_assembled_ones(split, tokens) -> None:
    order = LengthBucketedBatches(split, 4, 0, pad_token_id=7).order(1)
    same_length = np.flatnonzero(split.lengths == split.lengths[0])
    order = [*order, same_length, np.array([len(split) - 1])]
    gathered = ResidentSplit(split, CPU).batches(order, 7, [tokens] * len(order))
    assert_same_batches(gathered, [assemble(split, rows, 7, tokens) for rows in order])


def test_on_a_gpu_the_split_is_resident(split, monkeypatch) -> None:
    """Only the device's type is used, so that any machine can take the code path of a GPU."""
    monkeypatch.setattr(module, "ResidentSplit", lambda split, device: ResidentSplit(split, CPU))
    gpu = LengthBucketedBatches(split, 4, 0, 7, device=torch.device("cuda"), multiple=8)
    assert isinstance(gpu._resident, ResidentSplit)
    plain = LengthBucketedBatches(split, 4, 0, 7, multiple=8)
    assert plain._resident is None
    assert_same_batches(gpu.epoch(1, start=2), plain.epoch(1, start=2))
    assert list(gpu.epoch(1, start=len(gpu))) == []


def test_widths_are_few_and_hold_every_example(split) -> None:
    longest = split.lengths.max()
    batches = list(LengthBucketedBatches(split, 4, 0, 7, multiple=8).epoch(1))
    assert {batch.input_ids.shape[1] for batch in batches} == {8, longest}
    assert longest < 16
    assert all(batch.padded for batch in batches)
    assert sum(int(batch.attention_mask.sum()) for batch in batches) == split.lengths.sum()


def test_the_share_of_real_tokens_counts_all_padding(split) -> None:
    batches = LengthBucketedBatches(split, 4, 0, 7, multiple=8)
    positions = sum(batch.input_ids.numel() for batch in batches.epoch(1))
    assert batches.real_share() == pytest.approx(split.lengths.sum() / positions)
