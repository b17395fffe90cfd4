from random import Random

from internal_kd.embedded import paraphrase
from internal_kd.embedded.grammar import Speaker


def test_the_two_texts_differ():
    speaker = Speaker(Random(0))
    for maker in (paraphrase.statements, paraphrase.questions):
        for number in range(200):
            first, second = maker(speaker, "train", number % 2 == 0)
            assert first != second


def test_questions_end_as_questions_and_may_have_a_statement_before():
    speaker = Speaker(Random(0))
    pairs = [paraphrase.questions(speaker, "train", True) for _ in range(300)]
    assert all(first.endswith("?") and second.endswith("?") for first, second in pairs)
    share = sum(". " in first for first, _ in pairs) / len(pairs)
    assert abs(share - paraphrase.PREAMBLE) < 0.1
    assert not any(". " in second for _, second in pairs)
