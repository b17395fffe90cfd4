from random import Random

from internal_kd.embedded import grammar, lexicon
from internal_kd.embedded.grammar import Speaker


def test_the_two_texts_differ():
    speaker = Speaker(Random(0))
    for maker in (grammar.statements, grammar.questions):
        for number in range(200):
            first, second = maker(speaker, "train", number % 2 == 0)
            assert first != second


def test_questions_end_as_questions_and_may_have_a_statement_before():
    speaker = Speaker(Random(0))
    pairs = [grammar.questions(speaker, "train", True) for _ in range(300)]
    assert all(first.endswith("?") and second.endswith("?") for first, second in pairs)
    share = sum(". " in first for first, _ in pairs) / len(pairs)
    assert abs(share - grammar.PREAMBLE) < 0.1
    assert not any(". " in second for _, second in pairs)


def test_statements_come_alone_or_two_by_two():
    speaker = Speaker(Random(0))
    pairs = [grammar.statements(speaker, "train", number % 2 == 0) for number in range(600)]
    counts = [tuple(text.count(" .") for text in pair) for pair in pairs]
    assert set(counts) == {(1, 1), (2, 2)}
    assert abs(counts.count((2, 2)) / len(pairs) - grammar.TWO_STATEMENTS) < 0.1


def test_two_statements_occur_in_either_order():
    """Where the participants differ, the one that a text begins with shows the order."""
    speaker = Speaker(Random(0))
    pairs = [grammar.statements(speaker, "train", True) for _ in range(3000)]
    casts = [
        [_nouns(part) for text in pair for part in text.split(" . ")]
        for pair in pairs
        if pair[0].count(" .") == 2
    ]
    kept = [cast[0] == cast[2] for cast in casts if cast[0] != cast[1]]
    assert len(kept) > 50
    assert 0.3 < sum(kept) / len(kept) < 0.7


def _nouns(text):
    nouns = {*lexicon.NOUNS, *map(lexicon.plural, lexicon.NOUNS)}
    return {word for word in text.split() if word in nouns}


def test_pairs_of_statements_are_short_enough_for_the_base_model():
    speaker = Speaker(Random(0))
    pairs = [grammar.statements(speaker, "train", number % 2 == 0) for number in range(3000)]
    longest = max(sum(len(text.split()) for text in pair) for pair in pairs)
    assert longest + len(("[CLS]", "[SEP]", "[SEP]")) <= 64


def test_the_number_of_statements_does_not_predict_the_label():
    speaker = Speaker(Random(0))
    for same in (True, False):
        pairs = [grammar.statements(speaker, "validation", same) for _ in range(1000)]
        share = sum(first.count(" .") == 2 for first, _ in pairs) / len(pairs)
        assert abs(share - grammar.TWO_STATEMENTS) < 0.05
