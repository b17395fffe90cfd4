import pytest
import torch
from transformers import BertConfig, BertForPreTraining

from internal_kd.embedded import base


@pytest.fixture
def model():
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=50,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=16,
    )
    return BertForPreTraining(config).eval()


def _top(model):
    ids = torch.arange(5, 17)[None]
    with torch.no_grad():
        return model.bert(input_ids=ids).last_hidden_state


def test_stack_repeats_the_layers(model):
    base.stack(model)
    assert model.config.num_hidden_layers == len(base.layers_of(model)) == 4
    first, third = base.layers_of(model)[0], base.layers_of(model)[2]
    assert torch.equal(first.output.dense.weight, third.output.dense.weight)
    assert first.output.dense.weight is not third.output.dense.weight


@pytest.mark.parametrize(("scale", "tolerance"), [(0.0, 1e-4), (0.05, 0.2)])
def test_interleaved_layers_keep_the_function(model, scale, tolerance):
    before, layers = _top(model), base.layers_of(model)
    base.interleave(model, scale)
    assert base.layers_of(model)[1::2] == layers
    assert torch.allclose(_top(model), before, atol=tolerance)


def test_mimetic_start_makes_queries_and_keys_alike(model):
    base.start_mimetic(model, common=0.1, own=0.01)
    attention = base.layers_of(model)[0].attention.self
    difference = attention.query.weight - attention.key.weight
    assert difference.std() < 0.03 < attention.query.weight.std()


def test_neighbouring_positions_are_alike(model):
    base.start_sinusoidal(model, 0.05)
    table = model.bert.embeddings.position_embeddings.weight
    near, far = (table[4] - table[5]).norm(), (table[4] - table[12]).norm()
    assert near < far
    assert table.square().mean().sqrt().item() == pytest.approx(0.05, rel=1e-3)
