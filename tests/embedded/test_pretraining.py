import json

import msgspec
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from internal_kd.data.batches import assemble
from internal_kd.embedded import pretraining
from internal_kd.embedded.base import train_tokenizer
from internal_kd.embedded.corpus import generate_corpus
from internal_kd.embedded.pretraining import Masking, Settings, Stage

SETTINGS = {
    "seed": 0,
    "examples": 4000,
    "single_share": 0.5,
    "changed_share": 0.4,
    "vocabulary_size": 400,
    "max_length": 64,
    "batch_size": 16,
    "max_grad_norm": 1.0,
    "weight_decay": 0.01,
    "warmup": 20,
    "pair_weight": 1.0,
    "mark_weight": 1.0,
    "model": {"hidden_size": 16, "heads": 2, "feed_forward": 32, "initializer_range": 0.05},
    "mimetic": {"common": 0.125, "own": 0.02},
    "masking": {"first": 0.2, "second": 0.8, "single": 0.2, "mask": 0.5, "random": 0.3},
    "stages": [
        {"layers": 1, "masked": 1.0, "growth": "stack", "faintness": 0.0, "steps": 400}
        | {"from": 1e-2, "to": 1e-2},
        {"layers": 2, "masked": 0.5, "growth": "interleave", "faintness": 0.05, "steps": 100}
        | {"from": 5e-3, "to": 1e-4},
    ],
}


MASKING = msgspec.convert(SETTINGS["masking"], Masking)


@pytest.fixture(scope="module")
def tokenizer():
    texts = [e.first for e in generate_corpus(3000, 0.5, 0.4, 0)]
    return train_tokenizer(texts, 400, 64)


@pytest.fixture(scope="module")
def corpus(tokenizer):
    return pretraining.encode(list(generate_corpus(200, 0.3, 0.4, 0)), tokenizer)


def test_a_small_rebuild_learns_and_loads(tmp_path):
    quality = pretraining.pretrain(msgspec.convert(SETTINGS, Settings), tmp_path / "one")
    assert quality["masked_accuracy"] > 0.2  # one word in 230 by chance, one in 6 is "the"
    model = AutoModel.from_pretrained(tmp_path / "one")
    assert model.config.num_hidden_layers == 2
    assert AutoTokenizer.from_pretrained(tmp_path / "one")("the miner")["input_ids"]
    record = json.loads((tmp_path / "one" / "pretraining.json").read_text())
    assert record["quality"] == quality
    assert record["settings"] == SETTINGS
    assert len(record["code"]) == 16


def test_pretraining_is_deterministic(tmp_path):
    stages = [stage | {"steps": 5} for stage in SETTINGS["stages"]]
    settings = msgspec.convert(SETTINGS | {"examples": 500, "stages": stages}, Settings)
    for name in ("one", "two"):
        pretraining.pretrain(settings, tmp_path / name)
    one, two = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two"))
    assert one == two


def test_words_are_hidden_only_in_following_texts(corpus, tokenizer):
    batch = assemble(corpus.split, corpus.split.indices, tokenizer.pad_token_id)
    masked = pretraining.hide_words(batch, tokenizer, MASKING, examples=1.0)
    changed = masked.input_ids != batch.input_ids
    asked = masked.targets != pretraining.IGNORED
    assert torch.equal(masked.is_masked, batch.labels == 0)
    assert not asked[batch.labels == 1].any()
    assert not (changed & ~asked).any()
    assert torch.equal(masked.targets[asked], batch.input_ids[asked])
    assert not asked[batch.input_ids < 5].any()
    second = asked[batch.token_type_ids == 1].float().mean()
    first = asked[(batch.token_type_ids == 0) & (batch.attention_mask == 1)].float().mean()
    assert second > first > 0


def test_marks_of_unsupported_words(corpus, tokenizer):
    examples = list(generate_corpus(200, 0.3, 0.4, 0))
    ordered = sorted(examples, key=lambda example: example.second is None)
    batch = assemble(corpus.split, corpus.split.indices, tokenizer.pad_token_id)
    flags = corpus.flags(batch)
    for place, example in enumerate(ordered):
        words = set(tokenizer.decode(batch.input_ids[place][flags[place]]).split())
        assert words == example.unsupported & set((example.second or "").split())


def test_learning_rate_of_a_stage():
    stage = Stage(layers=1, masked=1.0, steps=30, first_rate=1.0, last_rate=0.5)
    settings = msgspec.convert(SETTINGS | {"warmup": 10, "weight_decay": 0.0}, Settings)
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer, schedule = pretraining._optimizer([parameter], stage, settings)
    rates = []
    for _ in range(30):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == pytest.approx(1.0)
    assert rates[20] == pytest.approx(0.75)
