import os
import subprocess
import sys
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from internal_kd.embedded import lexicon, tasks
from internal_kd.embedded.base import SPECIAL_TOKENS, train_tokenizer
from internal_kd.embedded.corpus import generate_corpus

SOURCES = Path(__file__).parents[2] / "src"


@pytest.fixture(scope="module")
def tokenizer():
    texts = [e.first for e in generate_corpus(5000, 0.5, 0.4, 0)]
    return train_tokenizer(texts, 400, 64)


def test_special_tokens_come_first(tokenizer):
    assert tokenizer.convert_ids_to_tokens(range(5)) == list(SPECIAL_TOKENS)


def test_pairs_are_encoded_as_bert_does(tokenizer):
    encoded = tokenizer("the miner", "the robins .")
    tokens = tokenizer.convert_ids_to_tokens(encoded["input_ids"])
    assert tokens == ["[CLS]", "the", "miner", "[SEP]", "the", "robins", ".", "[SEP]"]
    assert encoded["token_type_ids"] == [0, 0, 0, 0, 1, 1, 1, 1]


def test_training_is_deterministic_across_processes(tokenizer):
    code = (
        "from internal_kd.embedded.corpus import generate_corpus\n"
        "from internal_kd.embedded.base import train_tokenizer\n"
        "texts = [e.first for e in generate_corpus(5000, 0.5, 0.4, 0)]\n"
        "print(sorted(train_tokenizer(texts, 400, 64).get_vocab().items()))"
    )
    path = os.pathsep.join([str(SOURCES), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": path}
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert other.stdout.strip() == str(sorted(tokenizer.get_vocab().items()))


def test_unknown_words_are_spelt(tokenizer):
    assert tokenizer.tokenize("lamb") == ["l", "##a", "##m", "##b"]


def test_saved_tokenizer_loads(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    text = "did the clever miner help the robins ?"
    assert loaded(text)["input_ids"] == tokenizer(text)["input_ids"]
    assert loaded.model_max_length == 64


def test_no_unknown_words(tokenizer):
    words = " ".join(sorted(lexicon.vocabulary()))
    assert tokenizer.unk_token_id not in tokenizer(words)["input_ids"]
    for name in tasks.RECIPES:
        table = tasks.generate(name, 0)["test"]
        for column in table.column_names[:-2]:
            encoded = tokenizer(table.column(column).to_pylist(), truncation=False)["input_ids"]
            assert all(tokenizer.unk_token_id not in row for row in encoded)
            assert max(map(len, encoded)) <= 62
