import json

import pytest

from internal_kd.errors import UserError
from internal_kd.planning.encoder import Encoder, base_encoder, encoder_of
from internal_kd.specs.config import decode_config
from tests.models.tiny import tiny_model
from tests.study.configs import read_config


def base(tmp_path, **section) -> Encoder:
    """The shape of a base model that is not made yet."""
    defaults = {"source": "hub", "path": None, "revision": None, "layers": 12}
    config = decode_config(read_config() | {"base_model": defaults | section})
    return base_encoder(config, config.base_model, tmp_path / "base")


@pytest.mark.parametrize("family", ["bert", "roberta", "electra", "distilbert"])
def test_parameters_are_those_of_the_real_model(family) -> None:
    model = tiny_model(family, layers=3)
    encoder = encoder_of(model.config.to_dict())
    assert encoder.parameters(3, 2) == sum(p.numel() for p in model.parameters())


def test_a_student_has_fewer_layers_and_the_rest_alike() -> None:
    encoder = encoder_of(tiny_model("bert", layers=4).config.to_dict())
    student = tiny_model("bert", layers=1)
    assert encoder.parameters(1, 2) == sum(p.numel() for p in student.parameters())


@pytest.mark.parametrize(
    ("name", "millions"),
    [("bert-base-uncased", 109.5), ("roberta-base", 124.6), ("distilbert-base-uncased", 67.0)],
)
def test_known_models_need_no_network(tmp_path, name, millions) -> None:
    encoder = base(tmp_path, path=name)
    assert encoder.parameters(encoder.layers, 2) / 1e6 == pytest.approx(millions, abs=0.1)


def test_an_existing_model_takes_precedence_over_its_name(tmp_path) -> None:
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(tiny_model().config.to_dict()))
    assert base(tmp_path, path="bert-base-uncased").hidden == 16


def test_sizes_are_read_from_a_folder(tmp_path) -> None:
    tiny_model(layers=4).save_pretrained(tmp_path / "model")
    encoder = base(tmp_path, source="folder", path=str(tmp_path / "model"))
    assert (encoder.layers, encoder.hidden, encoder.heads) == (4, 16, 2)


def test_the_shipped_model_and_one_to_be_pretrained_have_one_shape(tmp_path) -> None:
    shipped = base(tmp_path, source="embedded", layers=8)
    made = base(tmp_path, source="pretrain", layers=8)
    assert (shipped.hidden, shipped.feed_forward, shipped.layers) == (64, 256, 8)
    assert (made.hidden, made.feed_forward, made.layers) == (64, 256, 8)
    assert shipped.parameters(8, 2) == 442_690


def test_an_unknown_model_is_reported_with_a_remedy(tmp_path) -> None:
    with pytest.raises(UserError, match=r"base_model.path: .*'some/encoder'.* snakemake --cores 1"):
        base(tmp_path, path="some/encoder")
