"""Pairs that mean the same or nearly: the material of the QQP-like and the MRPC-like task."""

from dataclasses import replace
from random import Random

from internal_kd.embedded import events, grammar
from internal_kd.embedded.events import Event
from internal_kd.embedded.grammar import Speaker, two_wordings

CHANGE_WEIGHTS: dict[str, float] = {
    "swap": 0.4,
    "move": 0.25,
    "participant": 0.1,
    "verb": 0.1,
    "adjective": 0.08,
    "adjunct": 0.07,
}
OTHER_FOCUS = 0.2
PREAMBLE = 0.4
TWO_STATEMENTS = 0.5


def statements(speaker: Speaker, side: str, same: bool) -> tuple[str, str]:
    """Two texts of one or two statements: the same events in other words and order, or not quite.

    Of two statements the second tells a similar event, so that the words of a text do not say who
    did what. They name no time, which keeps a pair below 64 tokens.
    """
    random = speaker.random
    two = random.random() < TWO_STATEMENTS
    told = retold = _similar_events(random, side, two)
    while not same and retold[0] in told:
        told = _similar_events(random, side, two)
        retold = [events.change(told[0], random, CHANGE_WEIGHTS), *told[1:]]
    return two_wordings(
        lambda: grammar.tell_all(random.sample(told, len(told)), speaker),
        lambda: grammar.tell_all(random.sample(retold, len(retold)), speaker),
    )


def _similar_events(random: Random, side: str, two: bool) -> list[Event]:
    """One event, or two of which the second is a change of the first."""
    event = events.sample_event(random, side, adjectives=0.6, adjuncts=0.5)
    if not two:
        return [event]
    first = replace(event, time=None)
    return [first, events.change(first, random, CHANGE_WEIGHTS)]


def questions(speaker: Speaker, side: str, same: bool) -> tuple[str, str]:
    """Two questions that ask the same, or differ in the event or in what is asked.

    The first may come after a statement of a similar event, which answers nothing and misleads.
    """
    random = speaker.random
    focus = random.choice(grammar.FOCUSES)
    whole = events.sample_event(random, side, adjuncts=0.4)
    event = grammar.hide(whole, focus)
    other, other_focus = event, focus
    if not same and random.random() < OTHER_FOCUS:
        other_focus = grammar.exchange(focus, event)
    if not same and other_focus == focus:
        other = events.change(event, random, CHANGE_WEIGHTS)
    before = [events.change(whole, random, CHANGE_WEIGHTS)] if random.random() < PREAMBLE else []
    return two_wordings(
        lambda: " ".join(
            [*(grammar.tell(e, speaker) for e in before), grammar.ask(event, focus, speaker)]
        ),
        lambda: grammar.ask(other, other_focus, speaker),
    )
