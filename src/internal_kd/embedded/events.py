"""Events: what the embedded language talks about, apart from any wording.

An event says who did what to whom, and perhaps where and when. Verbs and adjectives are stored as
the number of their synonym pair; a wording is drawn only when the event is told. Two texts mean the
same exactly if they tell equal events.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import md5
from random import Random

from internal_kd.embedded import lexicon

SIDES: tuple[tuple[str, int], ...] = (
    ("corpus", 45),
    ("train", 27),
    ("validation", 13),
    ("test", 15),
)


@dataclass(frozen=True)
class Phrase:
    """A noun with its number and possibly an adjective (the number of a synonym pair)."""

    noun: str
    plural: bool = False
    adjective: int | None = None


@dataclass(frozen=True)
class Event:
    """Who did what to whom, and perhaps where and when. `verb` is the number of a synonym pair."""

    verb: int
    agent: Phrase
    patient: Phrase
    place: str | None = None
    time: str | None = None

    def skeleton(self) -> str:
        """The content that decides the split: synonym pair of the verb and the two participants.

        Their order does not count, so an event and its role-swapped version stay together.
        """
        return "|".join([str(self.verb), *sorted((self.agent.noun, self.patient.noun))])

    def side(self) -> str:
        """`corpus`, `train`, `validation` or `test`: the same for every seed."""
        number = int.from_bytes(md5(self.skeleton().encode()).digest()[:4], "big") % 100
        for name, share in SIDES:
            if number < share:
                return name
            number -= share
        raise AssertionError("the shares of SIDES add up to 100")


def sample_phrase(random: Random, noun: str, adjectives: float) -> Phrase:
    """The noun in either number, with an adjective by the chance `adjectives`."""
    adjective = None
    if random.random() < adjectives:
        adjective = random.randrange(len(lexicon.ADJECTIVES))
    return Phrase(noun, random.random() < 0.3, adjective)


def sample_event(
    random: Random, side: str, adjectives: float = 0.5, adjuncts: float = 0.5
) -> Event:
    """An event of the given side; `adjectives`, `adjuncts` are the chances of each modifier."""
    while True:
        agent, patient = random.sample(lexicon.NOUNS, 2)
        event = Event(
            random.randrange(len(lexicon.VERBS)),
            sample_phrase(random, agent, adjectives),
            sample_phrase(random, patient, adjectives),
            random.choice(lexicon.PLACES) if random.random() < adjuncts else None,
            random.choice(lexicon.TIMES) if random.random() < adjuncts else None,
        )
        if event.side() == side:
            return event


# Changes: each gives another event, or None where the event has nothing of the kind to change.


def swap_roles(event: Event, random: Random) -> Event | None:
    """The participants change roles, their adjectives go with them."""
    return replace(event, agent=event.patient, patient=event.agent)


def move_adjective(event: Event, random: Random) -> Event | None:
    """The participants exchange their adjectives (None if these are equal)."""
    agent, patient = event.agent, event.patient
    if agent.adjective == patient.adjective:
        return None
    return replace(
        event,
        agent=replace(agent, adjective=patient.adjective),
        patient=replace(patient, adjective=agent.adjective),
    )


def other_participant(event: Event, random: Random) -> Event | None:
    """One participant becomes something else of the same kind: a baker instead of a miner."""
    role = random.choice(("agent", "patient"))
    phrase: Phrase = getattr(event, role)
    taken = {event.agent.noun, event.patient.noun}
    nouns = [noun for noun in lexicon.sisters(phrase.noun) if noun not in taken]
    changed = replace(phrase, noun=random.choice(nouns))
    return replace(event, agent=changed) if role == "agent" else replace(event, patient=changed)


def other_verb(event: Event, random: Random) -> Event | None:
    """The participants do something else."""
    verbs = [number for number in range(len(lexicon.VERBS)) if number != event.verb]
    return replace(event, verb=random.choice(verbs))


def other_adjective(event: Event, random: Random) -> Event | None:
    """One participant is of another kind: angry instead of sad."""
    agent = event.agent.adjective is not None
    phrase = event.agent if agent else event.patient
    if phrase.adjective is None:
        return None
    others = [n for n in range(len(lexicon.ADJECTIVES)) if n != phrase.adjective]
    changed = replace(phrase, adjective=random.choice(others))
    return replace(event, agent=changed) if agent else replace(event, patient=changed)


def other_adjunct(event: Event, random: Random) -> Event | None:
    """Another place, or another time where no place is told."""
    if event.place is not None:
        return replace(event, place=random.choice([p for p in lexicon.PLACES if p != event.place]))
    if event.time is not None:
        return replace(event, time=random.choice([t for t in lexicon.TIMES if t != event.time]))
    return None


Change = Callable[[Event, Random], Event | None]
DRAWS = 100
CHANGES: dict[str, Change] = {
    "swap": swap_roles,
    "move": move_adjective,
    "participant": other_participant,
    "verb": other_verb,
    "adjective": other_adjective,
    "adjunct": other_adjunct,
}


def change(event: Event, random: Random, weights: dict[str, float]) -> Event:
    """Another event of the same side, by a change drawn with the given weights.

    Where no draw succeeds (few events have neighbours on a small side), the roles are swapped.
    """
    for _ in range(DRAWS):
        kind = random.choices(list(weights), list(weights.values()))[0]
        changed = CHANGES[kind](event, random)
        if changed is not None and changed != event and changed.side() == event.side():
            return changed
    return replace(event, agent=event.patient, patient=event.agent)


def simplify(event: Event, random: Random, chance: float) -> Event:
    """The event with each of its modifiers left out with the given chance: follows from it."""

    def bare(phrase: Phrase) -> Phrase:
        return replace(phrase, adjective=None) if random.random() < chance else phrase

    return replace(
        event,
        agent=bare(event.agent),
        patient=bare(event.patient),
        place=None if random.random() < chance else event.place,
        time=None if random.random() < chance else event.time,
    )


def generalise(event: Event, random: Random, chance: float) -> Event:
    """The event with each noun replaced by a more general one, perhaps twice, by chance."""

    def wider(phrase: Phrase) -> Phrase:
        noun = lexicon.above(phrase.noun)
        if noun is None or random.random() >= chance:
            return phrase
        return wider(replace(phrase, noun=noun))

    return replace(event, agent=wider(event.agent), patient=wider(event.patient))


def is_a(noun: str, other: str) -> bool:
    """Whether `other` is the noun itself or more general: a robin is a robin, a bird, an animal."""
    current: str | None = noun
    while current is not None and current != other:
        current = lexicon.above(current)
    return current == other


def follows(premise: Event, conclusion: Event) -> bool:
    """Whether the conclusion tells nothing that the premise does not tell."""
    phrases = ((premise.agent, conclusion.agent), (premise.patient, conclusion.patient))
    return (
        premise.verb == conclusion.verb
        and all(is_a(known.noun, told.noun) for known, told in phrases)
        and all(known.plural == told.plural for known, told in phrases)
        and all(told.adjective in (None, known.adjective) for known, told in phrases)
        and conclusion.place in (None, premise.place)
        and conclusion.time in (None, premise.time)
    )


def unsupported_words(premise: Event, told: Event) -> frozenset[str]:
    """Content words that may tell `told` and for which the premise gives no ground."""
    words: set[str] = set()
    if told.verb != premise.verb:
        for verb in lexicon.VERBS[told.verb]:
            words |= {verb, lexicon.past(verb), lexicon.third_person(verb)}
    for known, phrase in ((premise.agent, told.agent), (premise.patient, told.patient)):
        words |= _unsupported_in_phrase(known, phrase)
    for known_adjunct, adjunct in ((premise.place, told.place), (premise.time, told.time)):
        if adjunct not in (None, known_adjunct):
            words.add(str(adjunct).split()[-1])
    return frozenset(words)


def _unsupported_in_phrase(known: Phrase, told: Phrase) -> set[str]:
    words: set[str] = set()
    if not is_a(known.noun, told.noun) or known.plural != told.plural:
        words.add(lexicon.plural(told.noun) if told.plural else told.noun)
    if told.adjective is not None and told.adjective != known.adjective:
        words |= set(lexicon.ADJECTIVES[told.adjective])
    return words
