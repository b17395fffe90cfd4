"""The sentences and questions that tell events."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from internal_kd.embedded import lexicon
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
