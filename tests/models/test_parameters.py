import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification

from internal_kd.models.layers import count_parameters
from tests.models.tiny import tiny_model

# Embeddings, one transformer layer, pooler, and classifier of two labels of BERT-base, by hand.
EMBEDDINGS = (30522 + 512 + 2) * 768 + 2 * 768
LAYER = 4 * (768 * 768 + 768) + (768 * 3072 + 3072) + (3072 * 768 + 768) + 2 * 2 * 768
POOLER = 768 * 768 + 768
CLASSIFIER = 768 * 2 + 2


def bert_base(layers: int) -> BertForSequenceClassification:
    with torch.device("meta"):
        return BertForSequenceClassification(BertConfig(num_hidden_layers=layers, num_labels=2))


@pytest.mark.parametrize("layers", [12, 6, 1])
def test_bert_base_by_hand(layers) -> None:
    assert count_parameters(bert_base(layers)) == {
        "total": EMBEDDINGS + layers * LAYER + POOLER + CLASSIFIER,
        "embeddings": EMBEDDINGS,
        "layers": layers * LAYER,
        "pooler": POOLER,
        "classifier": CLASSIFIER,
    }


def test_numbers_of_the_paper() -> None:
    """Section "Performance vs. Parameters"; its numbers for layers include the pooler."""
    teacher, student = (count_parameters(bert_base(layers)) for layers in (12, 6))
    encoder = teacher["total"] - teacher["classifier"]
    assert round(encoder / 1e6, 2) == 109.48
    assert encoder // 1e5 / 10 == 109.4  # the paper cuts it
    assert round(teacher["embeddings"] / 1e6, 1) == 23.8
    assert round((teacher["layers"] + teacher["pooler"]) / 1e6, 3) == 85.645
    assert round((student["layers"] + student["pooler"]) / 1e6, 3) == 43.118


@pytest.mark.parametrize("family", ["bert", "roberta", "electra", "distilbert"])
def test_each_parameter_is_counted_once(family) -> None:
    model = tiny_model(family)
    found = count_parameters(model)
    total = found.pop("total")
    assert total == sum(found.values())
    assert total == sum(parameter.numel() for parameter in model.parameters())
    assert min(found.values()) > 0


def test_layers_add_the_same_number_each() -> None:
    two, four = (count_parameters(tiny_model(layers=layers)) for layers in (2, 4))
    assert four["layers"] == 2 * two["layers"]
    for name in ("embeddings", "pooler", "classifier"):
        assert four[name] == two[name]


@pytest.mark.parametrize("family", ["bert", "roberta", "electra", "distilbert"])
def test_classifier_is_the_layer_that_gives_the_logits(family) -> None:
    """Two classes and a width of 16, with a bias each; the layer below it is 16 x 16."""
    found = count_parameters(tiny_model(family))
    assert found["classifier"] == 2 * (16 + 1)
    assert found["pooler"] == 16 * (16 + 1)
