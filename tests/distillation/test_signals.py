"""Signals from a store equal those of a live teacher."""

import numpy as np
import pytest
import torch

from internal_kd.data.batches import assemble
from internal_kd.distillation.signal_source import (
    SignalOptions,
    StoredSignals,
    TeacherOfSplit,
    signal_source,
)
from internal_kd.distillation.signals import LiveSignals, SignalRequest, Signals, signal_bytes
from internal_kd.models.capture import FrozenTeacher
from internal_kd.objectives.attention import attention_entropy
from internal_kd.objectives.registry import TARGETS
from tests.distillation.splits import tiny_split
from tests.models.tiny import tiny_model

REQUEST = SignalRequest(True, {1: 2, 2: 4}, ("cls", "attention"))
SIZES = {"heads": 2, "hidden": 16, "head size": 8}
SPLIT = tiny_split(11)
ROWS = np.array([7, 0, 3])


@pytest.fixture
def source_of(tmp_path):
    """Makes a source of signals with a fixed random teacher."""
    model = tiny_model()
    model.save_pretrained(tmp_path / "teacher")
    teacher = TeacherOfSplit(
        lambda: FrozenTeacher(model),
        model.config,
        tmp_path / "teacher",
        SPLIT,
        0,
        torch.device("cpu"),
    )

    def make(source: str, request=REQUEST, budget_mb: float = 100.0, attention: str = "fp32"):
        options = SignalOptions(source, attention, budget_mb, tmp_path / "signals")
        return signal_source(teacher, request, options)

    return make


@pytest.mark.parametrize(
    "signals",
    [
        REQUEST,
        SignalRequest(logits=True),
        SignalRequest(True, {1: 1}, ("cls",)),
        SignalRequest(True, {1: 4, 2: 2, 3: 4}, ("cls", "attention")),
        SignalRequest(True, {2: 4}, ("scores", "hidden")),
        SignalRequest(False, {1: 3, 2: 1}, ("query", "key", "value")),
    ],
)
def test_stored_equals_live(source_of, signals) -> None:
    live, stored = (source_of(name, signals) for name in ("live", "stored"))
    batch = assemble(SPLIT, ROWS, pad_token_id=0)
    layers = tuple(signals.matched)
    found = [source(batch, layers, signals.logits) for source in (stored, live)]
    assert_equal(*found, signals)


def test_students_layers_get_the_signals_of_their_own_teacher_layers(source_of) -> None:
    batch = assemble(SPLIT, ROWS, pad_token_id=0)
    every = source_of("live", SignalRequest(False, {1: 1, 2: 2, 3: 3, 4: 4}, ("cls",)))
    whole = every(batch, (1, 2, 3, 4), False).fields["cls"]
    for source in ("live", "stored"):
        signals = source_of(source, SignalRequest(False, {1: 4, 2: 2, 3: 4}, ("cls",)))
        found = signals(batch, (1, 2, 3), False).fields["cls"]
        torch.testing.assert_close(found, whole[:, [3, 1, 3]])


def assert_equal(ours: Signals, theirs: Signals, request: SignalRequest) -> None:
    """Both hold the same."""
    if request.logits:
        torch.testing.assert_close(ours.logits, theirs.logits)
    names = {name for target in request.targets for name in TARGETS[target].fields}
    assert ours.fields.keys() == theirs.fields.keys() == names
    for name in names:
        torch.testing.assert_close(ours.fields[name], theirs.fields[name])


@pytest.mark.parametrize("layers", [(1,), (2,), (1, 2), (1, 3)])
@pytest.mark.parametrize("source", ["live", "stored"])
def test_only_the_layers_requested(source_of, source, layers) -> None:
    signals = source_of(source, SignalRequest(True, {1: 1, 2: 2, 3: 4}, ("cls", "attention")))
    batch = assemble(SPLIT, ROWS, pad_token_id=0)
    every, some = signals(batch, (1, 2, 3), True), signals(batch, layers, False)
    chosen = [layer - 1 for layer in layers]
    assert some.logits is None
    torch.testing.assert_close(some.fields["cls"], every.fields["cls"][:, chosen])
    torch.testing.assert_close(some.fields["attention"], every.fields["attention"][:, chosen])


def test_a_live_teacher_stops_at_the_deepest_layer_requested(source_of) -> None:
    signals = source_of("live")
    ran = []
    for number, layer in enumerate(signals.teacher.model.bert.encoder.layer, start=1):
        layer.register_forward_hook(lambda *_, number=number: ran.append(number))
    signals(assemble(SPLIT, ROWS, pad_token_id=0), (1,), False)
    assert ran == [1, 2]


def test_the_budget_decides(source_of) -> None:
    needed = signal_bytes(SPLIT.lengths, REQUEST, SIZES) / 1e6
    assert isinstance(source_of("auto", budget_mb=needed * 1.01), StoredSignals)
    assert isinstance(source_of("auto", budget_mb=needed * 0.99), LiveSignals)


def test_bytes_counted_by_hand() -> None:
    # Two layers, 2 heads, lengths 3 and 5: attention 2*2*(9+25) = 136, [CLS] 2*16*2 = 64 floats,
    # and 4 entropies in double precision.
    found = signal_bytes(np.array([3, 5]), REQUEST, SIZES)
    assert found == 4 * (136 + 64) + 8 * 4


def test_attention_in_fixed_point(source_of) -> None:
    exact, packed = (source_of("stored", attention=form) for form in ("fp32", "uint16"))
    assert 2 * packed.ragged["attention"].numbers.nbytes == exact.ragged["attention"].numbers.nbytes
    batch = assemble(SPLIT, ROWS, pad_token_id=0)
    ours, theirs = packed(batch, (1, 2), True), exact(batch, (1, 2), True)
    assert ours.fields["attention"].dtype == torch.float32
    assert (ours.fields["attention"] - theirs.fields["attention"]).abs().max() <= 0.5 / 65535 + 1e-7
    assert torch.equal(ours.logits, theirs.logits)
    assert torch.equal(ours.fields["cls"], theirs.fields["cls"])
    # What is stored is what the student is compared with: at no distance from itself.
    lengths = batch.attention_mask.sum(dim=1, keepdim=True)
    expected = attention_entropy(ours.fields["attention"], lengths)
    torch.testing.assert_close(ours.fields["entropy"], expected, rtol=1e-7, atol=0)
    assert (ours.fields["entropy"] / theirs.fields["entropy"] - 1).abs().max() > 1e-6


def test_attention_is_zero_at_padding(source_of) -> None:
    batch = assemble(SPLIT, ROWS, pad_token_id=0)
    real = batch.attention_mask.bool()
    there = (real[:, :, None] & real[:, None, :])[:, None, None]
    assert batch.padded
    for source in ("live", "stored"):
        attention = source_of(source)(batch, (1, 2), True).fields["attention"]
        assert not (attention * ~there).any()


def test_fixed_point_halves_what_the_budget_counts(source_of) -> None:
    request = SignalRequest(matched={1: 2, 2: 4}, targets=("attention",))
    needed = signal_bytes(SPLIT.lengths, request, SIZES)
    entropies = 8 * len(request.layers) * len(SPLIT)  # the same in both forms
    budget_mb = (0.51 * (needed - entropies) + entropies) / 1e6
    for form, kind in (("fp32", LiveSignals), ("uint16", StoredSignals)):
        assert isinstance(source_of("auto", request, budget_mb, form), kind)


def test_bytes_are_what_was_counted(source_of) -> None:
    stored = source_of("stored")
    counted = signal_bytes(SPLIT.lengths, REQUEST, SIZES)
    tables = sum(stored.tables[name].nbytes for name in ("cls", "entropy"))
    assert stored.ragged["attention"].numbers.nbytes + tables == counted


def test_batches_without_padding_are_the_same(source_of) -> None:
    stored = source_of("stored")
    rows = np.flatnonzero(SPLIT.lengths == np.bincount(SPLIT.lengths).argmax())
    batch = assemble(SPLIT, rows, pad_token_id=0)
    assert not batch.padded
    marked = type(batch)(**{**vars(batch), "padded": True})
    found = [stored(each, (1, 2), False).fields["attention"] for each in (batch, marked)]
    assert torch.equal(*found)
