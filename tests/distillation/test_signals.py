"""Signals kept in memory equal those of a live teacher."""

import numpy as np
import pytest
import torch

from internal_kd.data.batches import assemble
from internal_kd.distillation.losses.attention import attention_entropy
from internal_kd.distillation.signal_pool import signal_source
from internal_kd.distillation.signals import (
    LiveSignals,
    PrecomputedSignals,
    Signals,
    Wanted,
    precomputed_bytes,
)
from internal_kd.models.teacher import FrozenTeacher
from tests.distillation.splits import tiny_split
from tests.models.tiny import tiny_model

WANTED = Wanted((2, 4), cls=True, attention=True)


def source_for(
    split, source: str, budget_mb: float = 100.0, wanted: Wanted = WANTED, attention: str = "fp32"
):
    """A source of signals for `split` with a fixed random teacher."""
    return signal_source(
        FrozenTeacher(tiny_model()),
        split,
        wanted,
        source=source,
        budget_mb=budget_mb,
        attention=attention,
        pad_token_id=0,
        device=torch.device("cpu"),
        batch_size=4,
    )


@pytest.mark.parametrize("wanted", [WANTED, Wanted(), Wanted((1,), cls=True)])
def test_precomputed_equals_live(wanted) -> None:
    split = tiny_split(11)
    live, kept = (source_for(split, name, wanted=wanted) for name in ("live", "precomputed"))
    batch = assemble(split, np.array([7, 0, 3]), pad_token_id=0)
    layers = range(1, len(wanted.layers) + 1)
    assert_equal(kept(batch, layers, True), live(batch, layers, True), batch, wanted)


def assert_equal(ours: Signals, theirs: Signals, batch, wanted: Wanted) -> None:
    """Both hold the same."""
    torch.testing.assert_close(ours.logits, theirs.logits)
    assert (ours.cls is None) == (not wanted.cls)
    assert (ours.attention is None) == (not wanted.attention)
    if ours.cls is not None:
        torch.testing.assert_close(ours.cls, theirs.cls)
    if ours.attention is not None:
        torch.testing.assert_close(ours.attention, theirs.attention)
        torch.testing.assert_close(ours.entropy, theirs.entropy)


@pytest.mark.parametrize("layers", [(1,), (2,), (1, 2), (1, 3)])
@pytest.mark.parametrize("source", ["live", "precomputed"])
def test_only_the_layers_asked_for(source, layers) -> None:
    split, wanted = tiny_split(11), Wanted((1, 2, 4), cls=True, attention=True)
    signals = source_for(split, source, wanted=wanted)
    batch = assemble(split, np.array([7, 0, 3]), pad_token_id=0)
    every, some = signals(batch, (1, 2, 3), True), signals(batch, layers, False)
    chosen = [layer - 1 for layer in layers]
    assert some.logits is None
    torch.testing.assert_close(some.cls, every.cls[:, chosen])
    torch.testing.assert_close(some.attention, every.attention[:, chosen])


def test_a_live_teacher_stops_at_the_deepest_layer_asked_for() -> None:
    split = tiny_split(11)
    signals = source_for(split, "live")
    ran = []
    for number, layer in enumerate(signals.teacher.model.bert.encoder.layer, start=1):
        layer.register_forward_hook(lambda *_, number=number: ran.append(number))
    signals(assemble(split, np.array([7, 0, 3]), pad_token_id=0), (1,), False)
    assert ran == [1, 2]


def test_the_budget_decides() -> None:
    split = tiny_split(11)
    needed = precomputed_bytes(split.lengths, WANTED, heads=2, hidden=16) / 1e6
    assert isinstance(source_for(split, "auto", needed * 1.01), PrecomputedSignals)
    assert isinstance(source_for(split, "auto", needed * 0.99), LiveSignals)


def test_bytes_counted_by_hand() -> None:
    # Two layers, 2 heads, lengths 3 and 5: attention 2*2*(9+25) = 136, [CLS] 2*16*2 = 64 floats,
    # and 4 entropies in double precision.
    found = precomputed_bytes(np.array([3, 5]), WANTED, heads=2, hidden=16)
    assert found == 4 * (136 + 64) + 8 * 4


def test_attention_in_fixed_point() -> None:
    split = tiny_split(11)
    exact, packed = (
        source_for(split, "precomputed", attention=form) for form in ("fp32", "uint16")
    )
    assert 2 * packed.attention.kept.nbytes == exact.attention.kept.nbytes
    batch = assemble(split, np.array([7, 0, 3]), pad_token_id=0)
    ours, theirs = packed(batch, (1, 2), True), exact(batch, (1, 2), True)
    assert ours.attention.dtype == torch.float32
    assert (ours.attention - theirs.attention).abs().max() <= 0.5 / 65535 + 1e-7
    assert torch.equal(ours.logits, theirs.logits)
    assert torch.equal(ours.cls, theirs.cls)
    # What is kept is what the student is compared with: at no distance from itself.
    expected = attention_entropy(ours.attention, lengths_of(batch))
    torch.testing.assert_close(ours.entropy, expected, rtol=1e-7, atol=0)
    assert (ours.entropy / theirs.entropy - 1).abs().max() > 1e-6


def lengths_of(batch) -> torch.Tensor:
    """Real tokens, `[batch, 1]`."""
    return batch.attention_mask.sum(dim=1, keepdim=True)


def test_attention_is_zero_at_padding() -> None:
    split = tiny_split(11)
    batch = assemble(split, np.array([7, 0, 3]), pad_token_id=0)
    real = batch.attention_mask.bool()
    there = (real[:, :, None] & real[:, None, :])[:, None, None]
    assert batch.padded
    for source in ("live", "precomputed"):
        attention = source_for(split, source)(batch, (1, 2), True).attention
        assert not (attention * ~there).any()


def test_fixed_point_halves_what_the_budget_counts() -> None:
    split, wanted = tiny_split(11), Wanted((2, 4), attention=True)
    needed = precomputed_bytes(split.lengths, wanted, heads=2, hidden=16)
    entropies = 8 * len(wanted.layers) * len(split)  # the same in both forms
    budget_mb = (0.51 * (needed - entropies) + entropies) / 1e6
    for form, kind in (("fp32", LiveSignals), ("uint16", PrecomputedSignals)):
        found = source_for(split, "auto", budget_mb, wanted, form)
        assert isinstance(found, kind)


def test_memory_is_what_was_counted() -> None:
    split = tiny_split(11)
    kept = source_for(split, "precomputed")
    counted = precomputed_bytes(split.lengths, WANTED, heads=2, hidden=16)
    assert kept.attention.kept.nbytes + kept.cls.nbytes + kept.entropy.nbytes == counted


def test_batches_without_padding_are_the_same() -> None:
    split = tiny_split(11)
    kept = source_for(split, "precomputed")
    rows = np.flatnonzero(split.lengths == np.bincount(split.lengths).argmax())
    batch = assemble(split, rows, pad_token_id=0)
    assert not batch.padded
    told = type(batch)(**{**vars(batch), "padded": True})
    assert torch.equal(kept(batch, (1, 2), False).attention, kept(told, (1, 2), False).attention)
