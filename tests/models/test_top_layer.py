"""Computing [CLS] alone in the top layer changes nothing that is used."""

import pytest
import torch

from internal_kd.models.attention import compute_only_cls_in_top_layer
from internal_kd.models.capture import logits_of
from tests.models.captures import represent
from tests.models.tiny import tiny_batch, tiny_model

FAMILIES = ["bert", "roberta", "electra", "distilbert"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("layers", [1, 3])
def test_outputs_are_those_of_the_whole_layer(family, layers) -> None:
    batch = tiny_batch()
    model = tiny_model(family, layers).eval()
    whole = represent(model, batch)
    compute_only_cls_in_top_layer(model)
    ours = represent(model, batch)
    torch.testing.assert_close(ours.logits, whole.logits)
    torch.testing.assert_close(logits_of(model, batch), whole.logits)
    for kind in ("cls", "scores"):
        for mine, theirs in zip(getattr(ours, kind), getattr(whole, kind), strict=True):
            torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_are_those_of_the_whole_layer(family) -> None:
    batch = tiny_batch()
    model = tiny_model(family, layers=2).eval()
    gradients = []
    for _ in range(2):
        model.zero_grad()
        outputs = represent(model, batch)
        scores = outputs.scores[-1].masked_fill(outputs.scores[-1] < -1e30, 0.0)
        (outputs.logits.sum() + outputs.cls[-1].square().sum() + scores.square().sum()).backward()
        gradients.append({name: p.grad.clone() for name, p in model.named_parameters()})
        compute_only_cls_in_top_layer(model)
    scale = max(gradient.abs().max() for gradient in gradients[0].values())
    for name, expected in gradients[0].items():
        assert (gradients[1][name] - expected).abs().max() <= 1e-5 * scale, name


def test_dropout_acts_in_training() -> None:
    model = tiny_model(layers=1).train()
    compute_only_cls_in_top_layer(model)
    model.bert.encoder.layer[0].attention.self.dropout.p = 0.9
    batch = tiny_batch()
    assert not torch.equal(logits_of(model, batch), logits_of(model, batch))


def test_saved_files_do_not_change(tmp_path) -> None:
    model = tiny_model()
    expected = set(model.state_dict())
    compute_only_cls_in_top_layer(model)
    assert set(model.state_dict()) == expected
    model.save_pretrained(tmp_path)
