"""Tokenizers are tried out: what they make of a text and a pair must fit the model."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from transformers import AutoTokenizer

from internal_kd.data.encoding import load_tokens
from internal_kd.jobs import base, data
from internal_kd.specs.jobs import encode
from internal_kd.study.glue import GLUE
from tests.inputs.checkpoints import change_json, checkpoint, make_base, settings
from tests.inputs.test_weights import refused
from tests.jobs.tiny_study import call

CLS, SEP = (
    {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
    {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
)
A, B = {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}
KNOWN = {
    name: {"id": name, "ids": [number], "tokens": [name]}
    for name, number in (("[CLS]", 2), ("[SEP]", 3))
}
WORDS = [f"w{number}" for number in range(20)]


def template(single: list, pair: list) -> dict:
    return {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": KNOWN}


PROCESSORS = {
    "none": None,
    "only [CLS]": template([CLS, A], [CLS, A, B]),
    "only [SEP]": template([A, SEP], [A, SEP, B, SEP]),
    "nothing between": template([CLS, A, SEP], [CLS, A, B, SEP]),
    "the wrong way round": template([SEP, A, CLS], [SEP, A, CLS, B, CLS]),
    "at the end": template([A, SEP, CLS], [A, SEP, B, SEP, CLS]),
}


@pytest.fixture
def source(tmp_path) -> Path:
    return checkpoint(tmp_path / "model")


@pytest.mark.parametrize("kind", PROCESSORS)
def test_texts_without_special_tokens_around_them_are_refused(source, tmp_path, capsys, kind):
    change_json(source / "tokenizer.json", post_processor=PROCESSORS[kind])
    message = refused(capsys, base, settings(source), out=tmp_path / "base")
    assert message.startswith("error: base_model: its tokenizer turns a text into ")
    assert "add a post_processor with these to its tokenizer.json" in message


def add_tokens(source: Path, *numbers: int) -> None:
    content = json.loads((source / "tokenizer.json").read_text())
    for number in numbers:
        content["model"]["vocab"][f"more{number}"] = number
    (source / "tokenizer.json").write_text(json.dumps(content))


@pytest.mark.parametrize("numbers", [(60,), (60, 61), (1000,)], ids=["one", "two", "far away"])
def test_tokens_without_embeddings_are_refused(source, tmp_path, capsys, numbers):
    add_tokens(source, *numbers)
    message = refused(capsys, base, settings(source), out=tmp_path / "base")
    assert "but the model has embeddings for only 60" in message
    assert "take both from the same source" in message


def test_a_vocabulary_with_holes_counts_by_its_numbers(tmp_path, capsys):
    """Fewer tokens than embeddings, and one of them beyond."""
    source = checkpoint(tmp_path / "model")
    content = json.loads((source / "tokenizer.json").read_text())
    for word in WORDS[10:]:
        del content["model"]["vocab"][word]
    content["model"]["vocab"]["far"] = 77
    (source / "tokenizer.json").write_text(json.dumps(content))
    message = refused(capsys, base, settings(source), out=tmp_path / "base")
    assert "gives 'far' the id 77 but the model has embeddings for only 60" in message


@pytest.mark.parametrize("size", [64, 128])
def test_a_matrix_larger_than_the_vocabulary_is_usual(tmp_path, size):
    base_model = make_base(checkpoint(tmp_path / "model", vocab_size=size), tmp_path / "base")
    assert len(AutoTokenizer.from_pretrained(base_model)) == 60


@pytest.mark.parametrize("missing", [["pad_token"], ["pad_token", "mask_token"]])
def test_a_tokenizer_that_cannot_pad_is_refused(source, tmp_path, capsys, missing):
    file = source / "tokenizer_config.json"
    content = json.loads(file.read_text())
    file.write_text(json.dumps({key: content[key] for key in content if key not in missing}))
    (source / "special_tokens_map.json").unlink(missing_ok=True)
    message = refused(capsys, base, settings(source), out=tmp_path / "base")
    assert "its tokenizer has no padding token" in message


def write_texts(folder: Path, unknown: float) -> Path:
    """Pairs of which a share of the words is unknown."""
    rng = np.random.default_rng(0)
    (folder / "rte").mkdir(parents=True)
    for split in ("train", "validation"):
        words = np.where(rng.random((40, 8)) < unknown, "wort", rng.choice(WORDS, (40, 8)))
        texts = [" ".join(row) for row in words]
        columns = {"sentence1": texts, "sentence2": texts, "label": [0, 1] * 20}
        pq.write_table(pa.table(columns), folder / f"rte/{split}.parquet")
    return folder


@pytest.mark.parametrize(
    ("unknown", "outcome"),
    [(0.0, ""), (0.05, ""), (0.4, "of the tokens are unknown"), (0.97, "refused")],
)
def test_texts_of_another_language(source, tmp_path, capsys, unknown, outcome):
    base_model = make_base(source, tmp_path / "base")
    texts = write_texts(tmp_path / "text", unknown)
    chosen = {
        "task": "rte",
        "spec": encode(GLUE["rte"].data),
        "source": "folder",
        "path": str(texts),
        "max_length": 32,
        "limit": None,
    }
    paths = {"base": base_model, "tokens": tmp_path / "tokens.npz", "examples": tmp_path / "e"}
    if outcome == "refused":
        sentence = refused(capsys, data, chosen, **paths)
        assert "of the tokens of rte are unknown to the base model's tokenizer" in sentence
        return
    call(data, chosen, **paths)
    assert ("are unknown to the tokenizer" in capsys.readouterr().err) == bool(outcome)
    assert len(load_tokens(tmp_path / "tokens.npz")[0]["train"].labels) == 40
