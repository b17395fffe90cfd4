from dataclasses import replace
from random import Random

from internal_kd.embedded import grammar
from internal_kd.embedded.events import Event, Phrase
from internal_kd.embedded.grammar import Speaker

EVENT = Event(0, Phrase("miner", adjective=2), Phrase("robin", plural=True), "at the market", None)
BARE = replace(EVENT, place=None)


def _all(tell, synonym=0.0, tries=200):
    return {tell(Speaker(Random(seed), synonym)) for seed in range(tries)}


def test_statements():
    assert _all(lambda speaker: grammar.tell(BARE, speaker)) == {
        "the clever miner helped the robins .",
        "the robins were helped by the clever miner .",
    }


def test_adjuncts_stand_in_front_or_at_the_end():
    texts = _all(lambda speaker: grammar.tell(EVENT, speaker))
    assert "at the market , the clever miner helped the robins ." in texts
    assert "the clever miner helped the robins at the market ." in texts


def test_synonyms():
    texts = _all(lambda speaker: grammar.tell(BARE, speaker), synonym=1.0)
    assert "the smart miner assisted the robins ." in texts


def test_questions():
    def ask(focus):
        return _all(lambda speaker: grammar.ask(BARE, focus, speaker))

    assert ask("whether") == {
        "did the clever miner help the robins ?",
        "were the robins helped by the clever miner ?",
    }
    assert ask("agent") == {
        "which clever miner helped the robins ?",
        "by which clever miner were the robins helped ?",
    }
    assert ask("patient") == {
        "which robins did the clever miner help ?",
        "which robins were helped by the clever miner ?",
    }
    assert "where did the clever miner help the robins ?" in ask("place")
    assert "when were the robins helped by the clever miner ?" in ask("time")


def test_a_question_does_not_contain_its_answer():
    assert grammar.hide(EVENT, "place") == BARE
    assert grammar.hide(EVENT, "time") == EVENT
    assert "market" not in grammar.ask(EVENT, "place", Speaker(Random(0)))


def test_exchange_of_the_focus():
    assert grammar.exchange("agent", EVENT) == "patient"
    assert grammar.exchange("time", BARE) == "place"
    assert grammar.exchange("time", EVENT) == "time"
    assert grammar.exchange("whether", BARE) == "whether"
