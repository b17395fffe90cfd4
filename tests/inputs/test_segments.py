"""Which of two texts a token is of: the model decides, and both ways through it agree."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from tokenizers import processors
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerFast

from internal_kd.data.encoding import load_tokens
from internal_kd.jobs import base, data
from internal_kd.models.bert import is_plain_bert, new_bert
from internal_kd.models.pretrained import inputs_of, load_encoder
from internal_kd.specs.jobs import encode
from internal_kd.study.glue import GLUE
from tests.inputs.checkpoints import checkpoint, make_base, settings, tokens
from tests.inputs.test_weights import refused
from tests.jobs.tiny_study import call, tiny_tokenizer
from tests.models.captures import represent

NAMES = ["input_ids", "attention_mask"]
WITHOUT = ["Roberta", "DistilBert", "Camembert"]


def zeros(pair: str = "[CLS] $A [SEP] $B [SEP]") -> PreTrainedTokenizerFast:
    """A tokenizer that gives both texts the same segment."""
    tokenizer = tiny_tokenizer()
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair=pair, special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def unnamed() -> PreTrainedTokenizerFast:
    """A generic tokenizer, which does not name segments among a model's inputs."""
    tokenizer = tiny_tokenizer()
    tokenizer.model_input_names = NAMES
    tokenizer.init_kwargs["model_input_names"] = NAMES
    return tokenizer


def both() -> PreTrainedTokenizerFast:
    tokenizer = zeros("[CLS] $A [SEP] [SEP] $B [SEP]")
    tokenizer.model_input_names = NAMES
    tokenizer.init_kwargs["model_input_names"] = NAMES
    return tokenizer


def write_texts(folder: Path) -> Path:
    (folder / "rte").mkdir(parents=True)
    first, second = ["w1 w2", "w3"] * 4, ["w4", "w5 w6 w7"] * 4
    for split in ("train", "validation"):
        columns = {"sentence1": first, "sentence2": second, "label": [0, 1] * 4}
        pq.write_table(pa.table(columns), folder / f"rte/{split}.parquet")
    return folder


def encoded(base_model: Path, folder: Path):
    """The training split of some pairs, as the workflow tokenises it."""
    texts = write_texts(folder / "text")
    chosen = {
        "task": "rte",
        "spec": encode(GLUE["rte"].data),
        "source": "folder",
        "path": str(texts),
        "max_length": 16,
        "limit": None,
    }
    call(data, chosen, base=base_model, tokens=folder / "tokens.npz", examples=folder / "examples")
    return load_tokens(folder / "tokens.npz")[0]["train"]


def first_types(split) -> list[int]:
    return split.token_type_ids[: split.offsets[1]].tolist()


@pytest.mark.parametrize("tokenizer", [tiny_tokenizer, zeros, unnamed, both])
@pytest.mark.parametrize("family", ["Bert", "Electra"])
def test_the_second_text_has_segment_1_in_models_with_two_segments(tmp_path, family, tokenizer):
    source = checkpoint(tmp_path / "model", family)
    tokenizer().save_pretrained(source)
    base_model = make_base(source, tmp_path / "base")
    types = first_types(encoded(base_model, tmp_path))
    between = 2 if tokenizer is both else 1
    assert sorted(set(types)) == [0, 1]
    assert types == sorted(types)
    assert len(types) == 3 + between + 2
    again = AutoTokenizer.from_pretrained(base_model)("w1 w2", "w4")
    assert again["token_type_ids"] == types


@pytest.mark.parametrize("tokenizer", [tiny_tokenizer, zeros, unnamed])
@pytest.mark.parametrize("family", WITHOUT)
def test_models_without_segments_get_zeros(tmp_path, family, tokenizer):
    changes = {} if family == "DistilBert" else {"type_vocab_size": 1, "pad_token_id": 1}
    source = checkpoint(tmp_path / "model", family, **changes)
    tokenizer().save_pretrained(source)
    split = encoded(make_base(source, tmp_path / "base"), tmp_path)
    assert not split.token_type_ids.any()


@pytest.mark.parametrize("tokenizer", [tiny_tokenizer, unnamed])
def test_a_bert_with_one_segment_reads_pairs(tmp_path, tokenizer):
    """Both the BERT that trains without Transformers, and Transformers' own."""
    source = checkpoint(tmp_path / "model", type_vocab_size=1)
    tokenizer().save_pretrained(source)
    base_model = make_base(source, tmp_path / "base")
    split = encoded(base_model, tmp_path)
    assert not split.token_type_ids.any()
    assert is_plain_bert(base_model)
    same_both_ways(base_model, split)


def same_both_ways(base_model: Path, split) -> None:
    """[CLS] of the last layer, of the first example, by our own BERT and by Transformers."""
    end = split.offsets[1]
    ids = torch.from_numpy(split.input_ids[:end].astype(np.int64))[None]
    types = torch.from_numpy(split.token_type_ids[:end].astype(np.int64))[None]
    text = tokens(ids, types)
    ours = new_bert(base_model, ("0", "1")).eval()
    theirs, plain = load_encoder(base_model).eval(), AutoModel.from_pretrained(base_model).eval()
    with torch.no_grad():
        found = represent(ours, text).cls[-1]
        expected = theirs(**inputs_of(theirs, text))[0][:, 0]
        direct = plain(input_ids=ids, token_type_ids=types)[0][:, 0]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found, direct, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("segments", [2, 3])
def test_both_bert_implementations_agree_on_segments(tmp_path, segments):
    source = checkpoint(tmp_path / "model", type_vocab_size=segments)
    base_model = make_base(source, tmp_path / "base")
    split = encoded(base_model, tmp_path)
    assert split.token_type_ids.max() == 1
    same_both_ways(base_model, split)


@pytest.mark.parametrize(("segment", "segments"), [(2, 2), (3, 2), (5, 3)])
def test_a_segment_that_the_model_does_not_have_is_rejected(tmp_path, capsys, segment, segments):
    source = checkpoint(tmp_path / "model", type_vocab_size=segments)
    zeros(f"[CLS] $A [SEP] $B:{segment} [SEP]:{segment}").save_pretrained(source)
    message = refused(capsys, base, settings(source), out=tmp_path / "base")
    assert (
        f"its tokenizer assigns segment {segment} but the model has {segments} segments" in message
    )
