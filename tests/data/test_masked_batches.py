"""Masked tokens, and the stream of batches of a training on unlabelled text."""

import numpy as np
import pytest
import torch

from internal_kd.data.batches import Batch, LengthBucketedBatches, assemble
from internal_kd.data.corpus import CorpusMeta
from internal_kd.data.encoding import EncodedSplit, offsets_of
from internal_kd.data.masked_batches import MaskedStream, TokenMasking
from internal_kd.errors import UserError

PAD, CLS, SEP, MASK = 0, 2, 3, 4
SPECIAL = (0, 1, 2, 3, 4)
VOCABULARY = 50
META = CorpusMeta(0, 0, 0, VOCABULARY, PAD, MASK, SPECIAL)


def split_of(lengths: list[int]) -> EncodedSplit:
    """Sequences of ordinary tokens between [CLS] and [SEP]; the first tells the sequence."""
    rows = [[CLS, 5 + k % 45, *([6] * (length - 3)), SEP] for k, length in enumerate(lengths)]
    flat = np.array([token for row in rows for token in row], dtype=np.int32)
    n = len(lengths)
    kinds, labels = np.zeros(len(flat), np.uint8), np.full(n, -1)
    return EncodedSplit(flat, kinds, offsets_of(np.array(lengths)), labels, np.arange(n))


def wide_batch() -> Batch:
    return assemble(split_of([64] * 300 + [32] * 300), np.arange(600), PAD)


def masked(batch: Batch, number: int = 0, **changes) -> Batch:
    values = {"share": 0.15, "mask": 0.8, "random": 0.1, "seed": 3} | changes
    return TokenMasking(**values, meta=META)(batch, number)


def near(count: int, total: int, share: float) -> bool:
    """Within four standard deviations of a binomial count."""
    return abs(count - total * share) < 4 * np.sqrt(total * share * (1 - share))


def test_shares_are_those_of_the_paper() -> None:
    batch = wide_batch()
    before, after = batch.input_ids, masked(batch).input_ids
    free = (batch.attention_mask == 1) & ~torch.isin(before, torch.tensor(SPECIAL))
    total = int(free.sum())
    hidden, changed = (after == MASK) & free, (after != before) & free
    swapped = int((changed & ~hidden).sum())
    assert near(int(hidden.sum()), total, 0.15 * 0.8)
    # A random token is the old one now and then.
    assert near(swapped, total, 0.15 * 0.1 * (1 - 1 / (VOCABULARY - len(SPECIAL))))
    assert torch.equal(after[~free], before[~free])
    drawn = after[changed & ~hidden]
    assert not np.isin(drawn.numpy(), SPECIAL).any()
    assert len(drawn.unique()) > 40


def test_a_reference_from_the_same_numbers_masks_the_same_tokens() -> None:
    batch = wide_batch()
    rng, ids = np.random.default_rng([3, 7]), batch.input_ids.numpy()
    chosen, fate = rng.random(ids.shape), rng.random(ids.shape)
    others = rng.choice(np.arange(5, VOCABULARY), size=ids.shape)
    expected = ids.copy()
    for place in np.ndindex(*ids.shape):
        if ids[place] in SPECIAL or chosen[place] >= 0.15:
            continue
        if fate[place] < 0.8:
            expected[place] = MASK
        elif fate[place] < 0.9:
            expected[place] = others[place]
    assert np.array_equal(masked(batch, 7).input_ids.numpy(), expected)


def test_masks_depend_on_number_and_seed_alone() -> None:
    batch = wide_batch()
    assert torch.equal(masked(batch, 5).input_ids, masked(batch, 5).input_ids)
    assert not torch.equal(masked(batch, 5).input_ids, masked(batch, 6).input_ids)
    assert not torch.equal(masked(batch, 5).input_ids, masked(batch, 5, seed=4).input_ids)


def test_without_masks_the_batch_stays() -> None:
    batch = wide_batch()
    assert masked(batch, share=0.0) is batch


def test_a_tokenizer_without_mask_token_is_refused_where_one_is_needed() -> None:
    meta = CorpusMeta(0, 0, 0, VOCABULARY, PAD, None, SPECIAL)
    with pytest.raises(UserError, match="no mask token"):
        TokenMasking(0.15, 0.8, 0.1, 0, meta)
    kept = TokenMasking(0.15, 0.0, 0.5, 0, meta)(wide_batch(), 0)
    assert not (kept.input_ids == MASK).any()


def stream(block: int, sequences: int = 26, batch_size: int = 4) -> MaskedStream:
    batches = LengthBucketedBatches(
        split_of([4 + k % 7 for k in range(sequences)]), batch_size, 1, PAD
    )
    return MaskedStream(batches, block, TokenMasking(0.15, 0.8, 0.1, 3, META))


def test_blocks_cut_one_endless_stream() -> None:
    long = [batch.input_ids for batch in stream(24).epoch(1)]
    blocks = [batch.input_ids for number in range(1, 5) for batch in stream(6).epoch(number)]
    assert len(long) == len(blocks) == 24
    assert all(torch.equal(one, other) for one, other in zip(long, blocks, strict=True))


@pytest.mark.parametrize("start", [0, 1, 5, 6, 11])
def test_a_block_resumes_at_any_batch(start) -> None:
    whole = [batch.input_ids for batch in stream(12).epoch(2)]
    rest = [batch.input_ids for batch in stream(12).epoch(2, start)]
    assert all(torch.equal(one, other) for one, other in zip(whole[start:], rest, strict=True))


def test_a_pass_has_every_sequence_once_but_for_a_smaller_batch() -> None:
    rows = [tuple(batch.rows) for batch in stream(12).epoch(1)]
    first, second = rows[:6], rows[6:]
    for one_pass in (first, second):
        seen = [row for batch in one_pass for row in batch]
        assert len(seen) == len(set(seen)) == 24
    assert first != second
    assert stream(12).examples == 48


def test_fewer_sequences_than_a_batch_are_refused() -> None:
    with pytest.raises(UserError, match="has 3 sequences beside those held out"):
        stream(1, sequences=3)
