"""The sentences and questions that tell events, and pairs that mean nearly the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from internal_kd.embedded import events, grammar, lexicon
from internal_kd.embedded.events import Event, Phrase

FOCUSES: tuple[str, ...] = ("whether", "agent", "patient", "place", "time")


@dataclass(frozen=True)
class Speaker:
    """Draws wordings. `synonym` is the probability of the second word of a synonym pair."""

    random: Random
    synonym: float = 0.5

    def word(self, pair: tuple[str, str]) -> str:
        """One of two synonyms."""
        return pair[self.random.random() < self.synonym]

    def verb(self, event: Event) -> str:
        """The bare form of one of the event's verbs."""
        return self.word(lexicon.VERBS[event.verb])

    def phrase(self, phrase: Phrase, determiner: str = "the") -> str:
        """Determiner, adjective if there is one, and noun."""
        noun = lexicon.plural(phrase.noun) if phrase.plural else phrase.noun
        if phrase.adjective is None:
            return f"{determiner} {noun}"
        return f"{determiner} {self.word(lexicon.ADJECTIVES[phrase.adjective])} {noun}"


def _was(phrase: Phrase) -> str:
    return "were" if phrase.plural else "was"


def _join(*parts: str | None) -> str:
    return " ".join(part for part in parts if part)


def tell(event: Event, speaker: Speaker) -> str:
    """A statement: active or passive, and perhaps with a fronted time or place."""
    random = speaker.random
    agent, patient = speaker.phrase(event.agent), speaker.phrase(event.patient)
    verb = lexicon.past(speaker.verb(event))
    clause = random.choice(
        (
            f"{agent} {verb} {patient}",
            f"{patient} {_was(event.patient)} {verb} by {agent}",
        )
    )
    adjuncts = [part for part in (event.place, event.time) if part]
    random.shuffle(adjuncts)
    if adjuncts and random.random() < 0.3:
        return _join(adjuncts[0], ",", clause, *adjuncts[1:], ".")
    return _join(clause, *adjuncts, ".")


def tell_all(events: Sequence[Event], speaker: Speaker) -> str:
    """One statement after the other."""
    return " ".join(tell(event, speaker) for event in events)


def ask(event: Event, focus: str, speaker: Speaker) -> str:
    """A question about the event: whether it happened, which participant, where or when."""
    if focus in ("agent", "patient"):
        return _ask_participant(event, focus, speaker)
    word = {"place": "where", "time": "when"}.get(focus)
    agent, patient = speaker.phrase(event.agent), speaker.phrase(event.patient)
    verb = speaker.verb(event)
    forms = (
        f"did {agent} {verb} {patient}",
        f"{_was(event.patient)} {patient} {lexicon.past(verb)} by {agent}",
    )
    place = None if focus == "place" else event.place
    time = None if focus == "time" else event.time
    return _join(word, speaker.random.choice(forms), place, time, "?")


def _ask_participant(event: Event, focus: str, speaker: Speaker) -> str:
    """Which painter helped the miner? Which miner did the painter help? In two forms each."""
    verb = speaker.verb(event)
    done = lexicon.past(verb)
    agent = speaker.phrase(event.agent, "which" if focus == "agent" else "the")
    patient = speaker.phrase(event.patient, "which" if focus == "patient" else "the")
    was = _was(event.patient)
    if focus == "agent":
        forms = (f"{agent} {done} {patient}", f"by {agent} {was} {patient} {done}")
    else:
        forms = (f"{patient} did {agent} {verb}", f"{patient} {was} {done} by {agent}")
    return _join(speaker.random.choice(forms), event.place, event.time, "?")


def hide(event: Event, focus: str) -> Event:
    """The event as far as a question with this focus tells it."""
    if focus == "place":
        return replace(event, place=None)
    return replace(event, time=None) if focus == "time" else event


def exchange(focus: str, event: Event) -> str:
    """Another focus for a question about the same event, where there is one.

    Asking for the place instead of the time needs an event that tells neither.
    """
    if focus in ("place", "time") and (event.place or event.time):
        return focus
    return {"agent": "patient", "patient": "agent", "place": "time", "time": "place"}.get(
        focus, focus
    )


def two_wordings(first: Callable[[], str], second: Callable[[], str]) -> tuple[str, str]:
    """A text of each, drawn again until they differ."""
    text, other = first(), second()
    while text == other:
        text, other = first(), second()
    return text, other


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
