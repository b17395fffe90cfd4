"""Pairs of which one may follow from the other: the material of the RTE- and the QNLI-like task."""

from dataclasses import replace
from random import Random

from internal_kd.embedded import events, grammar, lexicon
from internal_kd.embedded.events import Event, Phrase
from internal_kd.embedded.grammar import Speaker, two_wordings

CHANGE_WEIGHTS: dict[str, float] = {
    "swap": 0.5,
    "move": 0.15,
    "participant": 0.15,
    "verb": 0.15,
    "adjunct": 0.05,
}
TOO_SPECIFIC = 0.3
TWO_STATEMENTS = 0.7
ANSWERED_FOCUSES: tuple[str, ...] = ("agent", "patient", "place", "time")


def premise_and_hypothesis(speaker: Speaker, side: str, entailed: bool) -> tuple[str, str]:
    """One or two statements, and one that follows from them, or from neither.

    Of two statements the second tells a similar event: its words speak for the hypothesis, too.
    """
    random = speaker.random
    while True:
        event = events.sample_event(random, side, adjectives=0.6, adjuncts=0.4)
        premise = hypothesis = event
        if not entailed and random.random() < TOO_SPECIFIC:
            premise = _looser(event, random)
        elif not entailed:
            hypothesis = events.change(event, random, CHANGE_WEIGHTS)
        hypothesis = _looser(hypothesis, random)
        told = [premise]
        if random.random() < TWO_STATEMENTS:
            told.insert(random.randrange(2), events.change(event, random, CHANGE_WEIGHTS))
        if any(events.follows(known, hypothesis) for known in told) == entailed:
            break
    return two_wordings(
        lambda: grammar.tell_all(told, speaker), lambda: grammar.tell(hypothesis, speaker)
    )


def _looser(event: Event, random: Random) -> Event:
    return events.generalise(events.simplify(event, random, 0.4), random, 0.25)


def question_and_sentence(speaker: Speaker, side: str, answered: bool) -> tuple[str, str]:
    """A question for a participant, the place or the time, and a statement that may answer it."""
    random = speaker.random
    while True:
        event = events.sample_event(random, side, adjectives=0.4, adjuncts=0.6)
        focus = random.choice(ANSWERED_FOCUSES)
        asked = asked_about(event, focus)
        told = event
        if not answered and random.random() < 0.7:
            told = events.change(event, random, CHANGE_WEIGHTS)
        if answers(told, asked, focus) == answered:
            return grammar.ask(asked, focus, speaker), grammar.tell(told, speaker)


def asked_about(event: Event, focus: str) -> Event:
    """The event as the question tells it: "which animal" for the participant that is asked for."""
    if focus in ("agent", "patient"):
        phrase: Phrase = getattr(event, focus)
        sort = lexicon.SORT_OF[lexicon.KIND_OF[phrase.noun]]
        unknown = Phrase(sort, phrase.plural)
        return (
            replace(event, agent=unknown) if focus == "agent" else replace(event, patient=unknown)
        )
    return grammar.hide(event, focus)


def answers(told: Event, asked: Event, focus: str) -> bool:
    """Whether a statement of `told` answers a question about `asked`."""
    known = focus in ("agent", "patient") or getattr(told, focus) is not None
    return known and events.follows(told, asked)
