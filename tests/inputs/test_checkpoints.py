"""Checkpoints in the forms that people have: read as what they are, or refused in one sentence."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer

from internal_kd.jobs import base, student
from tests.inputs.checkpoints import (
    Weights,
    change_json,
    change_weights,
    checkpoint,
    make_base,
    settings,
)
from tests.inputs.families import WORKING
from tests.inputs.test_weights import refused
from tests.jobs.tiny_study import call

Change = Callable[[Path], object]


def taken(folder: Path) -> Weights:
    """The weights of a folder, which has none afterwards."""
    file = folder / "model.safetensors"
    weights = load_file(file)
    file.unlink()
    return weights


def pickled(folder: Path) -> None:
    torch.save(taken(folder), folder / "pytorch_model.bin")


def pickled_long_ago(folder: Path) -> None:
    file = folder / "pytorch_model.bin"
    torch.save(taken(folder), file, _use_new_zipfile_serialization=False)


def pickled_in_parts(folder: Path) -> None:
    weights, places = taken(folder), {}
    for part in (0, 1):
        name = f"pytorch_model-{part + 1:05d}-of-00002.bin"
        chosen = {key: weights[key] for key in list(weights)[part::2]}
        torch.save(chosen, folder / name)
        places |= dict.fromkeys(chosen, name)
    index = {"metadata": {"total_size": 1}, "weight_map": places}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))


def without_a_part(folder: Path) -> None:
    pickled_in_parts(folder)
    (folder / "pytorch_model-00002-of-00002.bin").unlink()


class Program:
    """Code in a pickle."""

    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("executed",)


def with_a_program(folder: Path) -> None:
    torch.save({**taken(folder), "more": Program()}, folder / "pytorch_model.bin")


def renamed(change: Callable[[str], str]) -> Change:
    def rename(weights: Weights) -> None:
        for name in list(weights):
            weights[change(name)] = weights.pop(name)

    return lambda folder: change_weights(folder, rename)


def prefixed(prefix: str) -> Change:
    return renamed(lambda name: prefix + name)


def with_old_names(name: str) -> str:
    old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    return next((name.replace(new, old[new]) for new in old if name.endswith(new)), name)


def in_precision(dtype: torch.dtype, then: Change = lambda _: None) -> Change:
    def change(folder: Path) -> None:
        change_weights(
            folder, lambda weights: weights.update({k: v.to(dtype) for k, v in weights.items()})
        )
        change_json(folder / "config.json", dtype=str(dtype).removeprefix("torch."))
        then(folder)

    return change


def without_pooler(folder: Path) -> None:
    names = ("pooler.dense.weight", "pooler.dense.bias")
    change_weights(folder, lambda weights: [weights.pop(name) for name in names])


def with_words_only(folder: Path) -> None:
    """As BERT's first tokenizers were kept."""
    words = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    without_tokenizer(folder)
    (folder / "vocab.txt").write_text("\n".join(sorted(words, key=words.get)))


def without_tokenizer(folder: Path) -> None:
    for file in folder.glob("*token*"):
        file.unlink()


def with_pieces(tokenizer: str, file: str) -> Change:
    def change(folder: Path) -> None:
        without_tokenizer(folder)
        (folder / file).write_bytes(b"pieces")
        (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": tokenizer}))

    return change


def japanese(folder: Path) -> None:
    with_words_only(folder)
    content = {"tokenizer_class": "BertJapaneseTokenizer", "word_tokenizer_type": "mecab"}
    (folder / "tokenizer_config.json").write_text(json.dumps(content))


def with_more_tokens(folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(["more", "tokens"])
    tokenizer.save_pretrained(folder)


def as_it_is(_: Path) -> None:
    pass


# A family's changes of the tiny config, and what is done with the files.
READ: dict[str, tuple[dict[str, Any], Change]] = {
    "pickle": ({}, pickled),
    "old pickle": ({}, pickled_long_ago),
    "pickles in parts": ({}, pickled_in_parts),
    "pickle of half precision": ({}, in_precision(torch.float16, pickled)),
    "bfloat16": ({}, in_precision(torch.bfloat16)),
    "names of a task model": ({}, prefixed("bert.")),
    "names of BERT's first code": ({}, renamed(with_old_names)),
    "no pooler": ({}, without_pooler),
    "a list of words": ({}, with_words_only),
    "padded vocabulary": ({"vocab_size": 64}, as_it_is),
    "added tokens": ({"vocab_size": 64}, with_more_tokens),
    "one segment": ({"type_vocab_size": 1}, as_it_is),
}
LIBRARY = "has no tokenizer.json and needs a library that is not part of this project"
REFUSED: dict[str, tuple[Change, str]] = {
    "a program": (with_a_program, "its weights are a pickle that is damaged or holds more than"),
    "a part is missing": (without_a_part, "pytorch_model-00002-of-00002.bin"),
    "names of parallel training": (
        prefixed("module."),
        "its weights begin with module., which is not",
    ),
    "names of a wrapper": (prefixed("model."), "its weights begin with model., which is not"),
    "weights of TensorFlow": (
        lambda folder: (folder / "model.safetensors").rename(folder / "tf_model.h5"),
        "no file named model.safetensors",
    ),
    "more tokens than embeddings": (with_more_tokens, "has embeddings for only 60"),
    "no tokenizer": (without_tokenizer, "its tokenizer cannot encode any word"),
    "pieces of DeBERTa": (with_pieces("DebertaV2Tokenizer", "spm.model"), LIBRARY),
    "pieces of XLM-R": (with_pieces("XLMRobertaTokenizer", "sentencepiece.bpe.model"), LIBRARY),
    "Japanese words": (japanese, LIBRARY),
}


def same_encoder(source: Path, made: Path) -> None:
    """All parameters but those of a new head, in single precision."""
    expected = AutoModel.from_pretrained(source, dtype=torch.float32).state_dict()
    found = AutoModel.from_pretrained(made).state_dict()
    assert found.keys() == expected.keys()
    for name, tensor in found.items():
        assert tensor.dtype == expected[name].dtype
        if not name.startswith("pooler."):
            assert torch.equal(tensor, expected[name]), name


@pytest.mark.parametrize("form", READ)
def test_what_can_be_read_is_read_as_it_is(tmp_path, form) -> None:
    changes, change = READ[form]
    source = checkpoint(tmp_path / "model", **changes)
    change(source)
    same_encoder(source, make_base(source, tmp_path / "base"))


@pytest.mark.parametrize("form", REFUSED)
def test_what_cannot_be_read_is_refused_in_one_sentence(tmp_path, capsys, form) -> None:
    change, message = REFUSED[form]
    source = checkpoint(tmp_path / "model")
    change(source)
    assert message in refused(capsys, base, settings(source), out=tmp_path / "base")
    assert not (tmp_path / "base").exists()


TASKS = {
    "deberta": "ForMaskedLM",
    "deberta-v2": "ForSequenceClassification",
    "eurobert": "ForMaskedLM",
    "gte": "ForMaskedLM",
    "megatron-bert": "ForPreTraining",
    "modernbert": "ForSequenceClassification",
    "mpnet": "ForMaskedLM",
    "rembert": "ForMaskedLM",
    "roformer": "ForMaskedLM",
    "xlm-roberta": "ForMaskedLM",
}


@pytest.mark.parametrize("family", TASKS)
def test_encoders_of_task_models_are_taken_without_their_heads(tmp_path, family) -> None:
    source = WORKING[family].checkpoint(tmp_path / "model", TASKS[family])
    same_encoder(source, make_base(source, tmp_path / "base"))


@pytest.mark.parametrize(("layers", "chosen"), [(5, [2, 3, 5]), (13, [4, 9, 13])])
def test_any_number_of_layers_can_be_cut(tmp_path, layers, chosen) -> None:
    source = checkpoint(tmp_path / "model", num_hidden_layers=layers)
    made = tmp_path / "base"
    call(base, settings(source, layers), out=made)
    call(student, {"init": "upper", "layers": 3}, base=made, out=tmp_path / "init")
    mapping = json.loads((tmp_path / "init/mapping.json").read_text())
    assert mapping["source_layers"] == chosen
