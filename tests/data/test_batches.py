import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from internal_kd.data.batches import (
    LengthBucketedBatches,
    assemble,
    sorted_batches,
)

LENGTHS = st.lists(st.integers(1, 64), min_size=1, max_size=200)


def glue_like_lengths(n):
    return np.clip(np.random.default_rng(3).lognormal(2.6, 0.4, n).astype(int), 4, 64)


@pytest.fixture(scope="module")
def build(request):
    from internal_kd.data.encoding import EncodedSplit, offsets_of

    def make(lengths):
        offsets = offsets_of(np.asarray(lengths))
        n = len(lengths)
        return EncodedSplit(
            input_ids=np.arange(1, offsets[-1] + 1, dtype=np.int32),
            token_type_ids=(np.arange(offsets[-1]) % 2).astype(np.uint8),
            offsets=offsets,
            labels=np.arange(n) % 3 - 1,
            indices=np.arange(n),
        )

    return make


@given(lengths=LENGTHS, batch_size=st.integers(1, 40), bucketing=st.booleans())
def test_an_epoch_holds_every_token_of_every_row_once(build, lengths, batch_size, bucketing):
    split = build(lengths)
    batches = LengthBucketedBatches(split, batch_size, 5, pad_token_id=0, bucketing=bucketing)
    found = list(batches.epoch(2))
    assert len(found) == len(batches)
    assert sorted(np.concatenate([b.rows for b in found])) == list(range(len(lengths)))
    sizes = sorted(len(b.rows) for b in found)
    assert sizes[1:] == [batch_size] * (len(found) - 1)
    tokens = np.concatenate([b.input_ids[b.attention_mask == 1].numpy() for b in found])
    assert sorted(tokens) == list(range(1, sum(lengths) + 1))


@given(lengths=LENGTHS, batch_size=st.integers(1, 40))
def test_batches_are_padded_to_their_longest_row(build, lengths, batch_size):
    split = build(lengths)
    for batch in LengthBucketedBatches(split, batch_size, 0, pad_token_id=0).epoch(0):
        b, width = batch.input_ids.shape
        assert width == split.lengths[batch.rows].max()
        assert batch.attention_mask.sum(1).tolist() == split.lengths[batch.rows].tolist()
        assert batch.labels.tolist() == split.labels[batch.rows].tolist()
        for i in range(b):
            n = int(split.lengths[batch.rows[i]])
            start = split.offsets[batch.rows[i]]
            assert batch.input_ids[i, :n].tolist() == split.input_ids[start : start + n].tolist()
            assert batch.token_type_ids[i, n:].sum() == 0
            assert batch.attention_mask[i, :n].all()


def test_padding_takes_the_id_it_is_given(build):
    batch = assemble(build([1, 3]), np.array([0, 1]), pad_token_id=77)
    assert batch.input_ids.tolist() == [[1, 77, 77], [2, 3, 4]]
    assert batch.token_type_ids.tolist() == [[0, 0, 0], [1, 0, 1]]
    assert batch.attention_mask.tolist() == [[1, 0, 0], [1, 1, 1]]
    assert {str(t.dtype) for t in (batch.input_ids, batch.token_type_ids, batch.labels)} == {
        "torch.int64"
    }
    moved = batch.to("cpu")
    assert moved.input_ids.tolist() == batch.input_ids.tolist()
    assert moved.rows is batch.rows


def padding_share(batches):
    tokens = np.array([(b.attention_mask.sum(), b.attention_mask.numel()) for b in batches])
    return 1 - tokens[:, 0].sum() / tokens[:, 1].sum()


@pytest.mark.parametrize("rows", [2500, 8500])
def test_buckets_leave_little_padding(build, rows):
    split = build(glue_like_lengths(rows))
    bucketed = LengthBucketedBatches(split, 32, 0, pad_token_id=0)
    plain = LengthBucketedBatches(split, 32, 0, pad_token_id=0, bucketing=False)
    assert padding_share(bucketed.epoch(0)) < 0.06
    assert padding_share(plain.epoch(0)) > 0.3
    assert padding_share(sorted_batches(split, 32, 0)) < 0.03


def test_order_is_a_function_of_seed_and_epoch(build):
    split = build(glue_like_lengths(500))

    def order(seed, epoch):
        return np.concatenate(LengthBucketedBatches(split, 16, seed, 0).order(epoch)).tolist()

    assert order(1, 3) == order(1, 3)
    assert len({tuple(order(*key)) for key in ((1, 3), (1, 4), (2, 3), (3, 1))}) == 4
    used = LengthBucketedBatches(split, 16, 1, 0)
    list(used.epoch(0))
    assert np.concatenate(used.order(3)).tolist() == order(1, 3)


def test_rows_meet_different_rows_in_each_epoch(build):
    """Batches are not the same sets in another order: ties and windows are random."""
    split = build(glue_like_lengths(500))
    batches = LengthBucketedBatches(split, 16, 1, 0)
    first, second = ({tuple(sorted(rows)) for rows in batches.order(e)} for e in (0, 1))
    assert len(first & second) < len(first) / 2


def test_lengths_do_not_drift_over_the_epoch(build):
    split = build(glue_like_lengths(4000))
    widths = [b.input_ids.shape[1] for b in LengthBucketedBatches(split, 32, 0, 0).epoch(0)]
    correlation = np.corrcoef(widths, np.arange(len(widths)))[0, 1]
    assert abs(correlation) < 0.3


def test_order_is_the_same_in_every_process(build):
    split = build(range(1, 13))
    order = [rows.tolist() for rows in LengthBucketedBatches(split, 4, 3, 0).order(1)]
    assert order == [[8, 9, 10, 11], [4, 5, 6, 7], [0, 1, 2, 3]]
    plain = LengthBucketedBatches(split, 4, 3, 0, bucketing=False).order(1)
    assert [rows.tolist() for rows in plain] == [[0, 4, 11, 1], [2, 5, 10, 7], [9, 8, 6, 3]]


def test_sorted_batches_go_from_short_to_long(build):
    split = build(glue_like_lengths(300))
    rows = np.concatenate([b.rows for b in sorted_batches(split, 32, 0)])
    assert sorted(rows) == list(range(300))
    assert (np.diff(split.lengths[rows]) >= 0).all()


def test_assembly_is_fast(build):
    split = build(glue_like_lengths(4000))
    rows = np.arange(32)
    seconds = []
    for _ in range(200):
        start = time.perf_counter()
        assemble(split, rows, 0)
        seconds.append(time.perf_counter() - start)
    assert np.median(seconds) < 0.6e-3  # about 0.07 ms on an idle core


def test_share_of_real_tokens(build) -> None:
    bucketed = LengthBucketedBatches(build([4, 2, 3, 3]), 2, seed=0, pad_token_id=0)
    # Sorted: 2 3 | 3 4; 12 tokens on 2 * 3 + 2 * 4 positions.
    assert bucketed.real_share() == pytest.approx(12 / 14)
