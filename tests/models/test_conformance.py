"""One contract for all ways through a model: features against Transformers' eager code in float64.

Our own BERT and, through Transformers, BERT, RoBERTa, ELECTRA and DistilBERT with random weights.
"""

import copy
from pathlib import Path

import pytest
import torch
from torch import Tensor

from internal_kd.models.attention import compute_only_cls_in_top_layer
from internal_kd.models.bert import BertClassifier
from internal_kd.models.capture import capture, logits_of
from internal_kd.models.features import FEATURES, CaptureRequest
from internal_kd.models.loading import load_classifier
from internal_kd.models.pretrained import inputs_of
from tests.models.tiny import tiny_batch, tiny_model

FAMILIES = ["fast", "bert", "roberta", "electra", "distilbert"]
LAYERS, HEADS = 3, 2
# Names of the projections of queries, keys and values in each family.
PROJECTIONS = {"distilbert": ("q_lin", "k_lin", "v_lin")}
SAME = {"rtol": 1e-4, "atol": 1e-5}


@pytest.fixture(params=FAMILIES)
def family(request) -> str:
    return request.param


@pytest.fixture
def model(family, tmp_path):
    """As a training has it: our own BERT, or one of Transformers with its top layer cut."""
    made = tiny_model("bert" if family == "fast" else family, layers=LAYERS).eval()
    if family == "fast":
        made.save_pretrained(tmp_path)
        made = load_classifier(tmp_path).eval()
        assert isinstance(made, BertClassifier)
        return made
    compute_only_cls_in_top_layer(made)
    return made


@pytest.fixture
def eager(family):
    """The same weights in Transformers' eager code and double precision."""
    made = tiny_model("bert" if family == "fast" else family, layers=LAYERS).eval().double()
    made.set_attn_implementation("eager")
    return made


def expected_features(eager, family: str, batch) -> tuple[Tensor, dict[tuple[str, int], Tensor]]:
    """Logits and features, in double precision; scores by queries and keys."""
    names = PROJECTIONS.get(family, ("query", "key", "value"))
    projected: dict[str, list[Tensor]] = {name: [] for name in names}
    modules = [(path.rpartition(".")[2], module) for path, module in eager.named_modules()]
    hooks = [
        module.register_forward_hook(lambda _m, _i, out, name=name: projected[name].append(out))
        for name, module in modules
        if name in names
    ]
    inputs = {
        name: values.double() if values.is_floating_point() else values
        for name, values in inputs_of(eager, batch).items()
    }
    outputs = eager(**inputs, output_hidden_states=True)
    for hook in hooks:
        hook.remove()
    found = {}
    padding = batch.attention_mask[:, None, None, :] == 0
    for layer in range(1, LAYERS + 1):
        states = outputs.hidden_states[layer]
        heads = [
            projected[name][layer - 1].unflatten(-1, (HEADS, -1)).transpose(1, 2) for name in names
        ]
        scores = heads[0] @ heads[1].transpose(2, 3) * heads[0].shape[-1] ** -0.5
        values = (states, states[:, 0], scores.masked_fill(padding, 0.0), *heads)
        found |= {(name, layer): v for name, v in zip(FEATURES, values, strict=True)}
    return outputs.logits, found


def comparable(name: str, values: Tensor, batch) -> Tensor:
    """Without what padding holds: the lowest number as a score's key."""
    if name != "scores":
        return values.double()
    padding = batch.attention_mask[:, None, None, :] == 0
    return values.double().masked_fill(padding, 0.0)


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("layers", [(1,), (3,), (1, 2, 3)])
@pytest.mark.parametrize("logits", [True, False])
def test_a_feature_is_that_of_eager_code(model, eager, family, name, layers, logits) -> None:
    batch = tiny_batch()
    found = capture(model, batch, CaptureRequest.of([name], layers, logits))
    expected_logits, expected = expected_features(eager, family, batch)
    assert set(found.features) == {(name, layer) for layer in layers}
    for layer in layers:
        ours = comparable(name, found.of_layer(name, layer), batch)
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
        ours = comparable(name, found.of_layer(name, layer), batch)
        torch.testing.assert_close(ours, values, **SAME)


@pytest.mark.parametrize("name", FEATURES)
def test_gradients_are_those_of_eager_code(model, eager, family, name) -> None:
    batch = tiny_batch()
    found = capture(model, batch, CaptureRequest.of([name], (1, 3)))
    _, expected = expected_features(eager, family, batch)
    ours = sum(comparable(name, found.of_layer(name, k), batch).square().sum() for k in (1, 3))
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
    layers = model.base_model.encoder.layer if hasattr(model.base_model, "encoder") else None
    layers = model.base_model.transformer.layer if layers is None else layers
    for number, layer in enumerate(layers, start=1):
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
