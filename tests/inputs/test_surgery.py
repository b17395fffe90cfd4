"""Students cut from encoders: the layers stay what they were, and the folder holds what was cut."""

import json

import pytest
import torch
from transformers import AutoModel

from internal_kd.jobs import base, student
from internal_kd.models.layers import encoder_layers
from tests.inputs.checkpoints import change_json, checkpoint, make_base, settings
from tests.inputs.test_weights import refused
from tests.jobs.tiny_study import call

FULL, LOCAL = "full_attention", "sliding_attention"
TYPES = [FULL, LOCAL, LOCAL, FULL]


@pytest.fixture
def modern(tmp_path):
    """A ModernBERT whose first layer has no normalisation and whose layers attend differently."""
    source = checkpoint(tmp_path / "model", "ModernBert", layer_types=TYPES)
    return make_base(source, tmp_path / "base")


@pytest.mark.parametrize(
    ("init", "layers"), [("upper", (2, 4)), ([3, 4], (3, 4)), ([1, 1], (1, 1))]
)
def test_layers_that_depend_on_their_position_are_rejected(
    modern, tmp_path, capsys, init, layers
) -> None:
    message = refused(
        capsys, student, {"init": init, "layers": 2}, base=modern, out=tmp_path / "init"
    )
    assert "ModernBertModel has layers that differ" in message
    assert f"layers {layers[0]}, {layers[1]} " in message
    assert "write init: lower or a list of layers that begins with 1" in message


@pytest.mark.parametrize(
    ("init", "layers"), [("lower", (1, 2)), ([1, 4], (1, 4)), ([1, 3], (1, 3))]
)
def test_other_layers_keep_their_kind_of_attention(modern, tmp_path, init, layers) -> None:
    call(student, {"init": init, "layers": 2}, base=modern, out=tmp_path / "init")
    found = AutoModel.from_pretrained(tmp_path / "init")
    assert [layer.attention_type for layer in encoder_layers(found)] == [
        TYPES[k - 1] for k in layers
    ]
    expected = encoder_layers(AutoModel.from_pretrained(modern))
    for layer, number in zip(encoder_layers(found), layers, strict=True):
        for name, tensor in layer.state_dict().items():
            assert torch.equal(tensor, expected[number - 1].state_dict()[name]), name


def test_a_random_student_has_the_kinds_of_the_first_layers(modern, tmp_path) -> None:
    chosen = {"init": "random", "layers": 3, "task": "rte", "seed": 0}
    call(student, chosen, base=modern, out=tmp_path / "init")
    assert json.loads((tmp_path / "init/config.json").read_text())["layer_types"] == TYPES[:3]


def test_settings_of_single_layers_are_refused(tmp_path, capsys) -> None:
    """Transformers reads them by the number of the layer, which is another one in a student."""
    source = checkpoint(tmp_path / "model")
    change_json(source / "config.json", per_layer_config={"3": {"hidden_act": "relu"}})
    message = refused(capsys, base, settings(source), out=tmp_path / "base")
    assert "per_layer_config in its config.json" in message


@pytest.mark.parametrize("family", ["Bert", "Roberta", "Electra", "DistilBert", "Camembert"])
@pytest.mark.parametrize("init", ["upper", [4, 4], [3, 1]])
def test_identical_layers_can_be_placed_anywhere(tmp_path, family, init) -> None:
    base = make_base(checkpoint(tmp_path / "model", family), tmp_path / "base")
    call(student, {"init": init, "layers": 2}, base=base, out=tmp_path / "init")
    assert len(encoder_layers(AutoModel.from_pretrained(tmp_path / "init"))) == 2
