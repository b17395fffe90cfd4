import hashlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from internal_kd.data import encoding
from internal_kd.data.checks import validate_table
from internal_kd.data.encoding import TokensMeta, cut_pair, encode_split, load_tokens, save_tokens
from internal_kd.data.sources import Source, load_split_tables
from internal_kd.errors import UserError
from internal_kd.study.glue import GLUE

TEXT = "the cat sat on mat dogs bark it rains a cats sun shines"
WORDS = TEXT.split()
CLS, SEP = 1, 2


def tokenizer(with_types: bool) -> PreTrainedTokenizerFast:
    vocabulary = {word: i for i, word in enumerate(["[PAD]", "[CLS]", "[SEP]", "[UNK]", *WORDS])}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)],
    )
    names = ["input_ids", "attention_mask"] + ["token_type_ids"] * with_types
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_input_names=names,
    )


@pytest.fixture
def encoded(rte, rte_table):
    table = validate_table(rte_table, rte, "train", "here")
    return encode_split(table, rte, tokenizer(with_types=True), max_length=64)


def example(split, i):
    return split.input_ids[split.offsets[i] : split.offsets[i + 1]].tolist()


def test_examples_stand_one_after_the_other_without_padding(encoded):
    assert encoded.lengths.tolist() == [12, 7, 8]
    assert len(encoded) == 3
    dogs, bark, cats = (4 + WORDS.index(w) for w in ("dogs", "bark", "cats"))
    assert example(encoded, 1) == [CLS, dogs, bark, SEP, cats, bark, SEP]
    types = encoded.token_type_ids[encoded.offsets[1] : encoded.offsets[2]]
    assert types.tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert encoded.labels.tolist() == [0, 1, 1]
    assert encoded.indices.tolist() == [0, 1, 2]
    dtypes = [str(getattr(encoded, name).dtype) for name in ("input_ids", "token_type_ids")]
    assert dtypes == ["int32", "uint8"]


def test_a_model_without_segments_gets_zeros(rte, rte_table):
    split = encode_split(
        validate_table(rte_table, rte, "train", "here"), rte, tokenizer(True), 64, segments=0
    )
    assert split.lengths.tolist() == [12, 7, 8]
    assert not split.token_type_ids.any()


def test_special_tokens_of_roberta(rte, rte_table):
    roberta = tokenizer(with_types=False)
    roberta.backend_tokenizer.post_processor = processors.RobertaProcessing(
        ("[SEP]", SEP), ("[CLS]", CLS)
    )
    table = validate_table(rte_table, rte, "train", "here")
    split = encode_split(table, rte, roberta, max_length=9)
    dogs, bark, cats, the, cat, a = (
        4 + WORDS.index(w) for w in ("dogs", "bark", "cats", "the", "cat", "a")
    )
    assert example(split, 1) == [CLS, dogs, bark, SEP, SEP, cats, bark, SEP]
    assert example(split, 0) == [CLS, the, cat, 6, SEP, SEP, a, cat, SEP]
    assert not split.token_type_ids.any()


def test_tokenizer_must_be_fast(rte, rte_table):
    class Slow:
        is_fast = False

    with pytest.raises(UserError, match=r"its tokenizer Slow has no tokenizer\.json"):
        encode_split(rte_table, rte, Slow(), max_length=9)


def test_chunks_do_not_change_the_result(encoded, rte, rte_table, monkeypatch):
    monkeypatch.setattr(encoding, "ROWS_PER_CALL", 2)
    table = validate_table(rte_table, rte, "train", "here")
    again = encode_split(table, rte, tokenizer(with_types=True), max_length=64)
    assert again.input_ids.tolist() == encoded.input_ids.tolist()
    assert again.offsets.tolist() == encoded.offsets.tolist()


def as_bert_cuts(first, second, budget):
    """BERT's `_truncate_seq_pair`, literally."""
    first, second = list(first), list(second)
    while len(first) + len(second) > budget:
        (first if len(first) > len(second) else second).pop()
    return first, second


@given(first=st.integers(0, 30), second=st.integers(0, 30), budget=st.integers(2, 40))
def test_cut_is_berts(first, second, budget):
    expected = as_bert_cuts("a" * first, "b" * second, budget)
    assert cut_pair(first, second, budget) == tuple(map(len, expected))


@pytest.mark.parametrize("lengths", [(9, 2), (2, 9), (7, 7), (3, 3)])
@pytest.mark.parametrize("max_length", [9, 10])
def test_pairs_lose_the_end_of_the_longer_text_first(lengths, max_length):
    texts = [[WORDS[i % len(WORDS)] for i in range(n)] for n in lengths]
    columns = {f"sentence{i}": [" ".join(text)] for i, text in enumerate(texts, start=1)}
    table = pa.table({**columns, "label": pa.array([0], pa.int64())})
    split = encode_split(table, GLUE["rte"], tokenizer(with_types=True), max_length)
    first, second = ([4 + WORDS.index(w) for w in text] for text in texts)
    first, second = as_bert_cuts(first, second, max_length - 3)
    assert example(split, 0) == [CLS, *first, SEP, *second, SEP]


def test_long_single_texts_are_cut_at_the_end():
    table = pa.table({"sentence": [" ".join(WORDS)], "label": pa.array([0], pa.int64())})
    split = encode_split(table, GLUE["cola"], tokenizer(with_types=True), max_length=6)
    assert example(split, 0) == [CLS, 4, 5, 6, 7, SEP]


def test_select_keeps_order_and_indices(make_split):
    split = make_split([3, 1, 4, 1, 5])
    part = split.select(np.array([4, 0, 4]))
    assert part.lengths.tolist() == [5, 3, 5]
    assert part.indices.tolist() == [4, 0, 4]
    for position, row in enumerate([4, 0, 4]):
        assert example(part, position) == example(split, row)
    assert len(split.select(np.array([], dtype=np.int64))) == 0


def test_saved_tokens_come_back_and_bytes_repeat(tmp_path, make_split):
    splits = {"train": make_split([3, 1]), "test": make_split([2, 5], seed=1)}
    meta = TokensMeta("rte", ("a", "b"), pad_token_id=0, max_length=64, vocab_size=100)
    save_tokens(tmp_path / "a.npz", splits, meta)
    save_tokens(tmp_path / "b.npz", splits, meta)
    loaded, loaded_meta = load_tokens(tmp_path / "a.npz")
    assert loaded_meta == meta
    assert list(loaded) == ["train", "test"]
    for name, split in splits.items():
        for field in ("input_ids", "token_type_ids", "offsets", "labels", "indices"):
            expected, found = getattr(split, field), getattr(loaded[name], field)
            np.testing.assert_array_equal(found, expected)
            assert found.dtype == expected.dtype
    digests = {hashlib.sha256((tmp_path / f).read_bytes()).hexdigest() for f in ("a.npz", "b.npz")}
    assert len(digests) == 1


@pytest.mark.parametrize("content", [b"", b"not a zip"])
def test_broken_token_file_is_one_sentence(tmp_path, content):
    (tmp_path / "tokens.npz").write_bytes(content)
    with pytest.raises(UserError, match=r"tokens\.npz: not a token file"):
        load_tokens(tmp_path / "tokens.npz")


def assert_same_but_for_ties(split, table, task, tokenizer):
    """The library's own truncation gives the same but for one token of two cut texts."""
    texts = [table.column(name).to_pylist() for name in task.text_columns]
    reference = tokenizer(*texts, truncation="longest_first", max_length=64)["input_ids"]
    for i, ids in enumerate(reference):
        if len(ids) < 64 or len(task.text_columns) == 1:
            assert example(split, i) == ids
        else:
            assert len(example(split, i)) == len(ids)


def test_real_glue_text_is_encoded_within_64_tokens(shared):
    from transformers import AutoTokenizer

    minilm = AutoTokenizer.from_pretrained(shared / "models" / "all-MiniLM-L6-v2")
    sizes = {}
    for task in GLUE.values():
        tables = load_split_tables(Source("folder", str(shared / "glue")), task)
        sizes[task.name] = {name: table.num_rows for name, table in tables.items()}
        table = tables["validation"].slice(0, 200)
        split = encode_split(table, task, minilm, 64)
        assert len(split) == 200
        assert split.lengths.max() <= 64
        assert (split.input_ids[split.offsets[:-1]] == minilm.cls_token_id).all()
        assert_same_but_for_ties(split, table, task, minilm)
        separators = (split.input_ids == minilm.sep_token_id).sum()
        assert separators == 200 * len(task.text_columns)
        assert bool(split.token_type_ids.any()) == (len(task.text_columns) == 2)
    assert sizes["rte"] == {"train": 2490, "validation": 277, "test": 3000}
    assert sizes["cola"] == {"train": 8551, "validation": 1043, "test": 1063}
    assert set(sizes["qqp"]) >= {"train", "validation"}
