import json

import msgspec
import pytest
import torch
import yaml
from transformers import AutoModel, AutoModelForPreTraining, AutoTokenizer

from internal_kd.embedded import base, lexicon, pretraining
from internal_kd.embedded.corpus import generate_corpus


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("base")
    base.export(out)
    return out


@pytest.fixture(scope="module")
def record():
    """How the shipped base was made."""
    return json.loads((base.ASSETS / base.PROVENANCE).read_text())


def test_assets_are_small():
    files = list(base.ASSETS.iterdir())
    assert sum(file.stat().st_size for file in files) <= 1_000_000
    assert {file.name for file in files} == {*base.COPIED, base.WEIGHTS, base.PROVENANCE}


def test_the_base_loads_in_single_precision(folder):
    model = AutoModel.from_pretrained(folder)
    assert model.config.num_hidden_layers == 8
    assert model.config.hidden_size == 64
    assert model.dtype == torch.float32


def test_the_vocabulary_contains_every_word(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    words = sorted(lexicon.vocabulary())
    assert all(len(tokenizer.tokenize(word)) == 1 for word in words)
    assert tokenizer.unk_token_id not in tokenizer(" ".join(words))["input_ids"]


def test_provenance(record):
    assert set(record) == {"code", "settings", "quality"}
    assert len(record["code"]) == 16
    assert record["settings"]["stages"][-1]["layers"] == 8


def test_the_config_rebuilds_the_shipped_base(root, record):
    config = yaml.safe_load((root / "config.yaml").read_text())
    assert config["pretraining"] == record["settings"]


def test_the_shipped_weights_have_the_quality_they_claim(folder, record):
    model = AutoModelForPreTraining.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    settings = msgspec.convert(record["settings"], pretraining.Settings)
    examples = generate_corpus(2000, settings.single_share, settings.changed_share, 12345)
    held_out = pretraining.encode(list(examples), tokenizer)
    quality = pretraining.evaluate(model, held_out, tokenizer, settings)
    for name, value in record["quality"].items():
        assert quality[name] == pytest.approx(value, abs=0.05)


@pytest.mark.rebuild
@pytest.mark.slow
def test_a_rebuilt_base_is_as_good(tmp_path, record):
    """Ten minutes of one core: pre-training from nothing with the shipped base's settings."""
    settings = msgspec.convert(record["settings"], pretraining.Settings)
    quality = pretraining.pretrain(settings, tmp_path)
    for name, value in record["quality"].items():
        assert quality[name] >= value - 0.05
