"""Unlabelled text from all its sources, as sequences of tokens on disk."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from internal_kd.data.corpus import Corpus, load_corpus, write_corpus
from internal_kd.data.parts import text_files
from internal_kd.data.passages import TextSettings, read_passages
from internal_kd.errors import UserError
from tests.jobs.tiny_study import tiny_tokenizer

CLS, SEP, UNKNOWN = 2, 3, 1
TOKENIZER = tiny_tokenizer()


def texts_of(path: Path | str, source: str = "files", **settings) -> list[str]:
    found = read_passages(TextSettings(source, str(path), **settings))
    return [text for passage in found for text in passage]


def corpus_of(folder: Path, passages, max_length: int = 8, **options) -> Corpus:
    write_corpus(folder, passages, TOKENIZER, max_length, **options)
    return load_corpus(folder)


def sequences(corpus: Corpus) -> list[list[int]]:
    split = corpus.split
    return [list(map(int, part)) for part in np.split(split.input_ids, split.offsets[1:-1])]


def words(*numbers: int) -> str:
    return " ".join(f"w{number}" for number in numbers)


def ids(*numbers: int) -> list[int]:
    return [5 + number for number in numbers]


def test_lines_are_passages_whatever_they_end_in(tmp_path) -> None:
    (tmp_path / "b.txt").write_bytes("w1 w2\r\n\r\n  \r\nw3 ä\r\n".encode())
    (tmp_path / "c.txt").write_bytes(b"\xef\xbb\xbfw4\n\nw5")
    with gzip.open(tmp_path / "a.txt.gz", "wb") as file:
        file.write(b"w6\n\n w7 \n")
    (tmp_path / "notes.md").write_text("not text of the corpus")
    assert texts_of(tmp_path) == ["w6", "w7", "w1 w2", "w3 ä", "w4", "w5"]
    assert texts_of(tmp_path / "[bc].txt") == ["w1 w2", "w3 ä", "w4", "w5"]
    assert texts_of(tmp_path / "c.txt") == ["w4", "w5"]
    assert text_files(str(tmp_path / "nothing*")) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("latin.txt", "w1 \xe4\n".encode("latin-1")),
        ("cut.txt.gz", gzip.compress(b"w1 w2\n" * 1000, mtime=0)[:-12]),
        ("plain.txt.gz", b"w1 w2\n"),
    ],
    ids=["latin-1", "cut off", "not compressed"],
)
def test_unreadable_text_is_reported_with_its_file(tmp_path, name, content) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=rf"corpus\.path: .*{name}: not readable text"):
        texts_of(tmp_path / name)


def test_a_data_set_is_read_by_split_and_column(tmp_path) -> None:
    import datasets

    rows = {"text": ["w1", "", None, "w2 w3"], "other": ["a", "b", "c", "d"]}
    split = datasets.Dataset.from_dict(rows)
    split.save_to_disk(str(tmp_path / "one"))
    datasets.DatasetDict({"train": split}).save_to_disk(str(tmp_path / "all"))
    for name in ("one", "all"):
        assert texts_of(tmp_path / name, "dataset") == ["w1", "w2 w3"]
    assert texts_of(tmp_path / "one", "dataset", column="other") == list("abcd")
    for wrong in ({"column": "no"}, {"split": "no"}):
        with pytest.raises(UserError, match=r"corpus\.path: .*'no'.* cannot be read"):
            texts_of(tmp_path / "all", "dataset", **wrong)


def test_generated_text_has_single_passages_and_pairs_and_depends_on_its_seed() -> None:
    one, again, other = (
        list(read_passages(TextSettings("embedded", examples=40, seed=seed))) for seed in (1, 1, 2)
    )
    assert one == again != other
    assert {len(passage) for passage in one} == {1, 2}


def test_a_passage_is_one_sequence_or_several(tmp_path) -> None:
    corpus = corpus_of(tmp_path, [(words(1, 2),), (words(*range(14)),)])
    assert sequences(corpus) == [
        [CLS, *ids(1, 2), SEP],
        [CLS, *ids(*range(6)), SEP],
        [CLS, *ids(*range(6, 12)), SEP],
        [CLS, *ids(12, 13), SEP],
    ]
    lengths = corpus.split.lengths
    assert corpus.meta.sequences == len(corpus.split) == 4
    assert (corpus.meta.tokens, corpus.meta.squares) == (sum(lengths), sum(lengths**2))
    assert not corpus.split.token_type_ids.any()
    assert isinstance(corpus.split.input_ids, np.memmap)


def test_the_texts_of_a_pair_are_shortened_and_numbered_as_those_of_a_task(tmp_path) -> None:
    pair = (words(1, 2, 3, 4), words(5, 6))
    corpus = corpus_of(tmp_path / "two", [pair])
    assert sequences(corpus) == [[CLS, *ids(1, 2, 3), SEP, *ids(5, 6), SEP]]
    assert list(corpus.split.token_type_ids) == [0] * 5 + [1] * 3
    one = corpus_of(tmp_path / "one", [pair], segments=1)
    assert sequences(one) == sequences(corpus)
    assert not one.split.token_type_ids.any()


def test_packed_sequences_are_full_and_lose_no_token_but_the_last(tmp_path) -> None:
    passages = [(words(1, 2, 3),), (words(4, 5),), (words(*range(6, 16)),), (words(17),)]
    found = sequences(corpus_of(tmp_path, passages, pack=True))
    assert all(len(row) == 8 and (row[0], row[-1]) == (CLS, SEP) for row in found)
    assert [row[1:-1] for row in found] == [
        [*ids(1, 2, 3), SEP, *ids(4, 5)],
        ids(*range(6, 12)),
        [*ids(*range(12, 16)), SEP, *ids(17)],
    ]


def test_what_is_left_of_packed_text_is_dropped(tmp_path) -> None:
    assert len(corpus_of(tmp_path, [(words(*range(15)),)], pack=True).split) == 2


def test_many_passages_are_written_in_pieces(tmp_path) -> None:
    rows = [(words(k % 50, (k + 1) % 50),) for k in range(2500)]
    corpus = corpus_of(tmp_path, rows)
    assert sequences(corpus) == [[CLS, *ids(k % 50, (k + 1) % 50), SEP] for k in range(2500)]


def test_the_last_sequences_are_held_out(tmp_path) -> None:
    corpus = corpus_of(tmp_path, [(words(k),) for k in range(5)])
    train, held_out = corpus.parts(2)
    assert (len(train), len(held_out)) == (3, 2)
    starts = held_out.offsets[:-1]
    assert list(held_out.input_ids[starts + 1]) == ids(3, 4)
    with pytest.raises(UserError, match=r"corpus\.held_out: is 5, but the corpus has 5"):
        corpus.parts(5)


@pytest.mark.parametrize(
    ("passages", "message"),
    [([], "corpus: holds no text"), ([("x y z w1",)] * 9 + [("x y z",)], "corpus: 51% of")],
)
def test_text_to_learn_nothing_from_is_refused(tmp_path, passages, message) -> None:
    with pytest.raises(UserError, match=message):
        corpus_of(tmp_path, passages)


def test_what_is_no_corpus_is_reported(tmp_path) -> None:
    with pytest.raises(UserError, match="not a corpus of this package"):
        load_corpus(tmp_path)
