"""Pairs that mean the same or nearly: the material of the QQP-like and the MRPC-like task."""

from internal_kd.embedded import events, grammar
from internal_kd.embedded.grammar import Speaker
from internal_kd.embedded.wording import two_wordings

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


def statements(speaker: Speaker, side: str, same: bool) -> tuple[str, str]:
    """Two statements of one event in independent wordings, or of two similar events."""
    event = events.sample_event(speaker.random, side, adjectives=0.6, adjuncts=0.5)
    other = event if same else events.change(event, speaker.random, CHANGE_WEIGHTS)
    return two_wordings(lambda: grammar.tell(event, speaker), lambda: grammar.tell(other, speaker))


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
