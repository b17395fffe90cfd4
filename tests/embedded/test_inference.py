from dataclasses import replace
from random import Random

import pytest

from internal_kd.embedded import tasks
from internal_kd.embedded.events import Event, Phrase
from internal_kd.embedded.grammar import Speaker

EVENT = Event(0, Phrase("miner", adjective=2), Phrase("robin"), "at the market", None)
ASKED = Event(0, Phrase("person"), Phrase("robin"), "at the market", None)


def test_a_question_gives_only_the_kind_of_participant():
    assert tasks.asked_about(EVENT, "agent") == ASKED
    assert tasks.asked_about(EVENT, "patient").patient == Phrase("animal")
    assert tasks.asked_about(EVENT, "place") == replace(EVENT, place=None)


@pytest.mark.parametrize(
    ("statements", "focus", "answered"),
    [
        (EVENT, "agent", True),
        (replace(EVENT, time="at noon"), "agent", True),
        (replace(EVENT, agent=EVENT.patient, patient=EVENT.agent), "agent", False),
        (replace(EVENT, place=None), "agent", False),
        (replace(EVENT, verb=3), "agent", False),
        (EVENT, "time", False),
        (replace(EVENT, time="at noon"), "time", True),
    ],
)
def test_answers(statements, focus, answered):
    assert tasks.answers(statements, tasks.asked_about(EVENT, focus), focus) is answered


def test_premises_have_one_or_two_statements():
    speaker = Speaker(Random(0))
    pairs = [tasks.premise_and_hypothesis(speaker, "train", n % 2 == 0) for n in range(300)]
    assert {first.count(" .") for first, _ in pairs} == {1, 2}
    assert {second.count(" .") for _, second in pairs} == {1}
