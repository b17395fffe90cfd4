"""One contract for all ways through a model: features against Transformers' eager code in float64.

Our own BERT and, through Transformers, every family that is tried (`tests/inputs/families.py`),
with random weights. The slow ones run with `pytest -m families`.
"""

import copy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from internal_kd.models.attention import compute_only_cls_in_top_layer, use_recordable_attention
from internal_kd.models.bert import BertClassifier
from internal_kd.models.capture import capture, logits_of
from internal_kd.models.families import AT_SOFTMAX, features_of
from internal_kd.models.features import FEATURES, CaptureRequest
from internal_kd.models.loading import load_classifier
from internal_kd.models.pretrained import inputs_of
from tests.inputs.families import WORKING
from tests.models.tiny import tiny_batch

QUICK = ("bert", "roberta", "electra", "distilbert", "modernbert", "mpnet", "deberta-v2")
LAYERS = 3
SAME = {"rtol": 1e-4, "atol": 1e-5}


def families() -> list:
    """Those that are not quick marked."""
    slow = [pytest.mark.families, pytest.mark.slow]
    others = [pytest.param(name, marks=slow) for name in WORKING if name not in QUICK]
    return ["fast", *QUICK, *others]


@pytest.fixture(params=families())
def family(request) -> str:
    return request.param


def tiny_model(family: str):
    return WORKING["bert" if family == "fast" else family].model(LAYERS)


@pytest.fixture
def model(family, tmp_path):
    """As a training has it: our own BERT, or one of Transformers with its top layer cut."""
    made = tiny_model(family).eval()
    if family == "fast":
        made.save_pretrained(tmp_path)
        made = load_classifier(tmp_path).eval()
        assert isinstance(made, BertClassifier)
        return made
    use_recordable_attention(made)
    compute_only_cls_in_top_layer(made)
    return made


@pytest.fixture
def eager(family):
    """The same weights in Transformers' eager code and double precision."""
    made = tiny_model(family).eval().double()
    made.set_attn_implementation("eager")
    return made


def stack_of(model) -> nn.ModuleList:
    (found,) = (
        module
        for module in model.base_model.modules()
        if isinstance(module, nn.ModuleList) and len(module) == LAYERS
    )
    return found


def expected_features(eager, family: str, batch) -> tuple[Tensor, dict[tuple[str, int], Tensor]]:
    """Logits and features, in double precision.

    Of attention, what Transformers' own eager function is called with; where a family calls none,
    the probabilities that it returns.
    """
    states: list[Tensor] = []

    def keep_states(_layer, _inputs, output) -> None:
        states.append(output[0] if isinstance(output, tuple) else output)

    hooks = [layer.register_forward_hook(keep_states) for layer in stack_of(eager)]
    inputs = {
        name: values.double() if values.is_floating_point() else values
        for name, values in inputs_of(eager, batch).items()
    }
    with pytest.MonkeyPatch.context() as patch:
        attention = watch_eager_attention(eager, patch)
        outputs = eager(**inputs, output_attentions=family in AT_SOFTMAX)
    for hook in hooks:
        hook.remove()
    if family in AT_SOFTMAX:
        attention = [(probabilities,) for probabilities in outputs.attentions]
    found = {}
    for layer, (hidden, parts) in enumerate(zip(states, attention, strict=True), start=1):
        values = (hidden, hidden[:, 0], *parts)
        found |= {(name, layer): v for name, v in zip(FEATURES, values, strict=False)}
    return outputs.logits, found


def watch_eager_attention(eager, patch) -> list[tuple[Tensor, ...]]:
    """Scores, queries, keys and values of the layers of a pass to come."""
    code, found = sys.modules[type(eager).__module__], []
    theirs: Callable = getattr(code, "eager_attention_forward", None)

    def watched(module, query, key, value, mask, scaling=None, **options):
        groups = query.shape[1] // key.shape[1]
        keys, values = (each.repeat_interleave(groups, dim=1) for each in (key, value))
        factor = query.shape[-1] ** -0.5 if scaling is None else scaling
        scores = query @ keys.transpose(2, 3) * factor
        # Some functions take the softmax in single precision, where this is not infinite.
        mask = torch.zeros(()) if mask is None else mask.clamp(min=torch.finfo(torch.float32).min)
        found.append((scores.masked_fill(mask < 0, 0.0), query, keys, values))
        return theirs(module, query, key, value, mask, scaling=scaling, **options)

    patch.setattr(code, "eager_attention_forward", watched, raising=False)
    return found


def comparable(family: str, name: str, values: Tensor) -> Tensor:
    """Without what is hidden from attention, which has the lowest number as its score."""
    if name != "scores":
        return values.double()
    if family in AT_SOFTMAX:
        return values.double().softmax(dim=-1)
    return values.double().masked_fill(values < torch.finfo(values.dtype).min / 2, 0.0)


def given(family: str, name: str) -> bool:
    return name in features_of("bert" if family == "fast" else family)


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("layers", [(1,), (3,), (1, 2, 3)])
@pytest.mark.parametrize("logits", [True, False])
def test_a_feature_is_that_of_eager_code(model, eager, family, name, layers, logits) -> None:
    batch = tiny_batch()
    found = capture(model, batch, CaptureRequest.of([name], layers, logits))
    expected_logits, expected = expected_features(eager, family, batch)
    known = layers if given(family, name) else ()
    assert set(found.features) == {(name, layer) for layer in known}
    for layer in known:
        ours = comparable(family, name, found.of_layer(name, layer))
        torch.testing.assert_close(ours, expected[name, layer], **SAME)
    assert (found.logits is not None) == logits
    if logits:
        torch.testing.assert_close(found.logits.double(), expected_logits, **SAME)


def test_all_features_at_once(model, eager, family) -> None:
    batch = tiny_batch()
    found = capture(model, batch, CaptureRequest.of(FEATURES, (1, 2, 3), logits=True))
    _, expected = expected_features(eager, family, batch)
    assert set(found.features) == set(expected)
    for (name, layer), values in expected.items():
        ours = comparable(family, name, found.of_layer(name, layer))
        torch.testing.assert_close(ours, values, **SAME)


@pytest.mark.parametrize("name", FEATURES)
def test_gradients_are_those_of_eager_code(model, eager, family, name) -> None:
    batch = tiny_batch()
    found = capture(model, batch, CaptureRequest.of([name], (1, 3)))
    _, expected = expected_features(eager, family, batch)
    if not given(family, name):
        assert not found.features
        return
    ours = sum(comparable(family, name, found.of_layer(name, k)).square().sum() for k in (1, 3))
    theirs = sum(expected[name, k].square().sum() for k in (1, 3))
    ours.backward()
    theirs.backward()
    gradients = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
    exact = {n: p.grad for n, p in eager.named_parameters() if p.grad is not None}
    scale = max(float(gradient.abs().max()) for gradient in exact.values())
    assert gradients.keys() <= exact.keys()
    for parameter, gradient in exact.items():
        own = gradients.get(parameter, torch.zeros(()))
        assert (own.double() - gradient).abs().max() <= 1e-4 * scale, parameter


@pytest.mark.parametrize("name", FEATURES)
def test_a_pass_ends_with_the_highest_layer(model, name) -> None:
    batch, ran = tiny_batch(), []
    for number, layer in enumerate(stack_of(model), start=1):
        layer.register_forward_hook(lambda *_, number=number: ran.append(number))
    capture(model, batch, CaptureRequest.of([name], (2,)))
    assert ran == [1, 2]


def test_padding_changes_nothing(model) -> None:
    short, long = tiny_batch((6, 4, 3)), tiny_batch((6, 4, 3), pad=5)
    request = CaptureRequest.of(FEATURES, (1, 3), logits=True)
    first, second = capture(model, short, request), capture(model, long, request)
    torch.testing.assert_close(first.logits, second.logits)
    real = short.attention_mask.bool()
    for key, values in first.features.items():
        cut = second.features[key]
        if key[0] == "hidden":
            values, cut = values[real], cut[:, : real.shape[1]][real]
        elif key[0] != "cls":
            rows = real[:, None, :].expand(values.shape[:3])
            width = values.shape[-1] if key[0] == "scores" else None
            values, cut = values[rows], cut[:, :, : real.shape[1], :width][rows]
        torch.testing.assert_close(values, cut)


def test_logits_alone_and_every_row(model) -> None:
    batch = tiny_batch()
    alone = logits_of(model, batch)
    whole = capture(model, batch, CaptureRequest(logits=True, every_row=True))
    assert not whole.features
    torch.testing.assert_close(whole.logits, alone)


def test_saved_files_are_those_of_the_classifier(model, tmp_path) -> None:
    capture(model, tiny_batch(), CaptureRequest.of(FEATURES, (1, 2, 3), logits=True))
    folder = Path(tmp_path, "saved")
    copy.deepcopy(model).save_pretrained(folder)
    again = load_classifier(folder).eval()
    torch.testing.assert_close(logits_of(again, tiny_batch()), logits_of(model, tiny_batch()))
