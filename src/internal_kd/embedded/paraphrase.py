"""Pairs that mean the same or nearly: the material of the QQP-like and the MRPC-like task."""

from collections.abc import Callable

from internal_kd.embedded import events, grammar
from internal_kd.embedded.grammar import Speaker

CHANGE_WEIGHTS: dict[str, float] = {
    "swap": 0.4,
    "move": 0.25,
    "participant": 0.1,
    "verb": 0.1,
    "adjective": 0.08,
    "adjunct": 0.07,
}
OTHER_FOCUS = 0.2


def statements(speaker: Speaker, side: str, same: bool) -> tuple[str, str]:
    """Two statements of one event in independent wordings, or of two similar events."""
    event = events.sample_event(speaker.random, side, adjectives=0.6, adjuncts=0.5)
    other = event if same else events.change(event, speaker.random, CHANGE_WEIGHTS)
    return two_wordings(lambda: grammar.tell(event, speaker), lambda: grammar.tell(other, speaker))


def questions(speaker: Speaker, side: str, same: bool) -> tuple[str, str]:
    """Two questions that ask the same about one event, or differ in the event or in what is asked."""
    random = speaker.random
    focus = random.choice(grammar.FOCUSES)
    event = grammar.hide(events.sample_event(random, side, adjuncts=0.4), focus)
    other, other_focus = event, focus
    if not same and random.random() < OTHER_FOCUS:
        other_focus = grammar.exchange(focus, event)
    if not same and other_focus == focus:
        other = events.change(event, random, CHANGE_WEIGHTS)
    return two_wordings(
        lambda: grammar.ask(event, focus, speaker),
        lambda: grammar.ask(other, other_focus, speaker),
    )


def two_wordings(first: Callable[[], str], second: Callable[[], str]) -> tuple[str, str]:
    """A text of each, drawn again until they differ."""
    text, other = first(), second()
    while text == other:
        text, other = first(), second()
    return text, other
