import re
from itertools import combinations

import pyarrow as pa
import pytest

from internal_kd.embedded import lexicon, tasks
from internal_kd.embedded.corpus import generate_corpus
from internal_kd.errors import UserError
from internal_kd.study.glue import GLUE

NAMES = sorted(tasks.RECIPES)
STEMS = {
    form: number
    for number, pair in enumerate(lexicon.VERBS)
    for verb in pair
    for form in (verb, lexicon.past(verb), lexicon.third_person(verb))
}
ADJECTIVES = {word: number for number, pair in enumerate(lexicon.ADJECTIVES) for word in pair}
SINGULAR = {lexicon.plural(noun): noun for noun in lexicon.NOUNS}


@pytest.fixture(scope="module")
def generated():
    return {name: tasks.generate(name, 0) for name in NAMES}


def _texts(table):
    columns = [name for name in table.column_names if name not in ("label", "idx")]
    return [tuple(row.values()) for row in table.select(columns).to_pylist()]


def _statements(text):
    """The statements of a text of the MRPC-like task or of the corpus."""
    return [part.split() for part in text.rstrip(" .").split(" . ")]


def _skeletons(text):
    """The skeletons of the statements of a text, read without the generator."""
    return {_skeleton(words) for words in _statements(text)}


def _skeleton(words):
    verb = next(STEMS[word] for word in words if word in STEMS)
    nouns = sorted(
        SINGULAR.get(word, word) for word in words if SINGULAR.get(word, word) in lexicon.NOUNS
    )
    return "|".join([str(verb), *nouns])


@pytest.mark.parametrize("name", NAMES)
def test_columns_and_sizes(generated, name):
    splits = generated[name]
    assert list(splits) == ["train", "validation", "test"]
    assert len(splits["train"]) == tasks.RECIPES[name].train_size
    assert len(splits["validation"]) >= 400
    assert len(splits["test"]) == 1000
    for table in splits.values():
        assert table.column_names == [*GLUE[name].text_columns, "label", "idx"]
        assert table.schema.field("label").type == pa.int64()
        assert table.column("idx").to_pylist() == list(range(len(table)))


@pytest.mark.parametrize("name", NAMES)
def test_label_balance_is_the_same_in_all_splits(generated, name):
    for table in generated[name].values():
        labels = table.column("label").to_numpy()
        assert set(labels) == {0, 1}
        assert labels.mean() == pytest.approx(tasks.RECIPES[name].share, abs=0.001)
        assert 0.4 <= labels.mean() <= 0.6


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_gives_the_same_tables(generated, name):
    again, other = tasks.generate(name, 0), tasks.generate(name, 1)
    for split, table in generated[name].items():
        assert table.equals(again[split])
        assert not table.equals(other[split])


@pytest.mark.parametrize("name", NAMES)
def test_no_example_occurs_twice(generated, name):
    texts = [row for table in generated[name].values() for row in _texts(table)]
    assert len(texts) == len(set(texts))
    assert all(len(set(row)) == len(row) for row in texts)


@pytest.mark.parametrize("name", ["cola", "qqp", "mrpc"])
def test_no_single_text_is_in_two_splits(generated, name):
    splits = [{text for row in _texts(t) for text in row} for t in generated[name].values()]
    splits.append(
        {t for e in generate_corpus(20000, 0.3, 0.5, 0) for t in (e.first, e.second) if t}
    )
    for one, other in combinations(splits, 2):
        assert not one & other


def test_no_skeleton_is_in_two_splits(generated):
    found = [
        set().union(*(_skeletons(text) for row in _texts(table) for text in row))
        for table in generated["mrpc"].values()
    ]
    assert len(found[2]) > 400
    corpus = set()
    for example in generate_corpus(20000, 0.0, 0.5, 0):
        if not re.search(
            r"\b(" + "|".join([*lexicon.SORT_OF, *lexicon.HIERARCHY]) + ")s?\\b", str(example)
        ):
            corpus |= _skeletons(example.first) | _skeletons(str(example.second))
    assert len(corpus) > 1000
    for one, other in combinations([*found, corpus], 2):
        assert not one & other


def test_positives_and_negatives_of_mrpc_share_most_words(generated):
    """The words that a pair has in common say little about its label."""
    shares = {0: [], 1: []}
    for row in generated["mrpc"]["test"].to_pylist():
        first, second = set(row["sentence1"].split()), set(row["sentence2"].split())
        shares[row["label"]].append(len(first & second) / len(first | second))
    means = [sum(part) / len(part) for part in shares.values()]
    assert abs(means[0] - means[1]) < 0.1


def test_unknown_task():
    with pytest.raises(UserError, match="no task 'sst2'"):
        tasks.generate("sst2", 0)


def _events(text):
    """The events of a text, read without the generator."""
    return {_event(words) for words in _statements(text)}


def _event(words):
    """Who did what to whom, where and when, read from the words of a statement."""
    verb = next(place for place, word in enumerate(words) if word in STEMS and word.endswith("d"))
    passive = words[verb + 1 : verb + 2] == ["by"]
    nouns = [word for word in words if SINGULAR.get(word, word) in lexicon.NOUNS]
    phrases = []
    for noun in nouns:
        before = words[words.index(noun) - 1]
        phrases.append((noun, ADJECTIVES.get(before)))
    first, second = reversed(phrases) if passive else phrases
    text = " ".join(words)
    adjuncts = tuple(sorted(a for a in (*lexicon.PLACES, *lexicon.TIMES) if a in text))
    return STEMS[words[verb]], first, second, adjuncts


@pytest.mark.parametrize("split", tasks.SPLITS)
def test_labels_of_mrpc_by_an_independent_reading(generated, split):
    for row in generated["mrpc"][split].to_pylist():
        same = _events(row["sentence1"]) == _events(row["sentence2"])
        assert same == bool(row["label"]), row


def test_the_reader_itself():
    helped = "at noon , the angry miner was helped by the robins in the forest ."
    known = (0, ("robins", None), ("miner", 3), ("at noon", "in the forest"))
    assert _events(helped) == {known}
    back = (0, ("miner", None), ("robins", None), ())
    assert _events(f"{helped} the miner helped the robins .") == {known, back}
