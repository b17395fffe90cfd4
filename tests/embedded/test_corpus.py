from itertools import islice
from random import Random

from internal_kd.embedded import corpus, lexicon


def _sample(count=3000, single=0.3, changed=0.4, seed=0):
    return list(corpus.generate_corpus(count, single, changed, seed))


def test_shares_and_determinism():
    examples = _sample()
    assert abs(sum(e.second is None for e in examples) / 3000 - 0.3) < 0.03
    assert abs(sum(e.label for e in examples) / 3000 - 0.4) < 0.03
    assert examples == _sample()
    assert examples != _sample(seed=1)


def test_every_word_of_the_language_occurs_and_no_other():
    words = {
        word
        for example in _sample(20000)
        for text in (example.first, example.second)
        if text
        for word in text.split()
    }
    assert words == lexicon.vocabulary()


def test_unsupported_words_are_in_changed_second_texts_only():
    for example in _sample():
        found = example.unsupported & set((example.second or "").split())
        if example.label and example.second:
            assert found
        else:
            assert not found


def test_a_corrupted_sentence_differs():
    words = ["did", "the", "miner", "help", "the", "robins", "in", "the", "garden", "?"]
    changed = [corpus.corrupt(words, Random(seed)) for seed in range(200)]
    assert sum(other != words for other in changed) > 190


def test_inflection_takes_another_form_of_the_same_word():
    words = ["was", "the", "miner", "helped", "by", "the", "robins", "?"]
    found = {" ".join(corpus.inflect_one(words, Random(seed))) for seed in range(50)}
    assert found == {
        "were the miner helped by the robins ?",
        "was the miner help by the robins ?",
        "was the miner helps by the robins ?",
    }


def test_generation_is_lazy():
    assert len(list(islice(corpus.generate_corpus(10**9, 0.3, 0.4, 0), 5))) == 5
