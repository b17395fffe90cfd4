"""The text the base model is pre-trained on: pairs of texts, and single sentences.

The second text of a pair follows from the first, or tells another event of the same cast. A single
sentence is intact, or one of its words was moved, left out, repeated or inflected differently.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from internal_kd.embedded import events, grammar, lexicon, tasks
from internal_kd.embedded.grammar import Speaker

SIDE = "corpus"
CHANGE_WEIGHTS: dict[str, float] = {
    "swap": 0.3,
    "move": 0.15,
    "participant": 0.15,
    "verb": 0.15,
    "adjective": 0.12,
    "adjunct": 0.13,
}

SINGLE_WEIGHTS: dict[str, float] = {"agreement": 0.5, "verb_form": 0.2, "gap": 0.3}


@dataclass(frozen=True)
class Example:
    """One example of the corpus.

    Attributes:
        label: 0 if the second text follows (or the single sentence is intact), 1 if it does not.
        unsupported: words that, where the second text has them, the first gives no ground for.
    """

    first: str
    second: str | None
    label: int
    unsupported: frozenset[str] = frozenset()


def generate_corpus(
    examples: int, single_share: float, changed_share: float, seed: int
) -> Iterator[Example]:
    """The corpus of a seed; its events belong to no split of any task.

    `single_share` of the examples are single sentences, `changed_share` have label 1.
    """
    random = Random(seed)
    speaker = Speaker(random)
    for _ in range(examples):
        label = int(random.random() < changed_share)
        if random.random() < single_share:
            yield _single(speaker, label)
        elif random.random() < 0.4:
            yield _questions(speaker, label)
        else:
            yield _statements(speaker, label)


def _statements(speaker: Speaker, label: int) -> Example:
    random = speaker.random
    loose = random.random() < 0.5
    while True:
        event = events.sample_event(random, SIDE)
        told = events.change(event, random, CHANGE_WEIGHTS) if label else event
        if loose:
            told = events.generalise(events.simplify(told, random, 0.3), random, 0.3)
        if events.follows(event, told) != bool(label):
            return Example(
                grammar.tell(event, speaker),
                grammar.tell(told, speaker),
                label,
                events.unsupported_words(event, told),
            )


def _questions(speaker: Speaker, label: int) -> Example:
    random = speaker.random
    focus = random.choice(grammar.FOCUSES)
    event = grammar.hide(events.sample_event(random, SIDE), focus)
    other, other_focus = event, focus
    if label and random.random() < 0.25:
        other_focus = grammar.exchange(focus, event)
    if label and other_focus == focus:
        other = events.change(event, random, CHANGE_WEIGHTS)
    unsupported = events.unsupported_words(event, other)
    if other_focus != focus:
        unsupported |= {"which", "where", "when"}
    first = grammar.ask(event, focus, speaker)
    return Example(first, grammar.ask(other, other_focus, speaker), label, unsupported)


def _single(speaker: Speaker, label: int) -> Example:
    words = tasks.sentence(speaker, SIDE, True, SINGLE_WEIGHTS).split()
    return Example(" ".join(corrupt(words, speaker.random) if label else words), None, label)


def corrupt(words: list[str], random: Random) -> list[str]:
    """The sentence with one word moved, left out, repeated elsewhere, or inflected differently."""
    place = random.randrange(len(words) - 2)
    kind = random.random()
    if kind < 0.5:
        return inflect_one(words, random)
    if kind < 0.65:
        return [*words[:place], words[place + 1], words[place], *words[place + 2 :]]
    if kind < 0.8:
        return words[:place] + words[place + 1 :]
    target = random.randrange(len(words) - 1)
    return [*words[:target], *words[place : place + 2], *words[target:]]


def inflect_one(words: list[str], random: Random) -> list[str]:
    """The sentence with another form of one of its verbs or auxiliaries."""
    places = [place for place, word in enumerate(words) if word in OTHER_FORMS]
    place = random.choice(places)
    return [*words[:place], random.choice(OTHER_FORMS[words[place]]), *words[place + 1 :]]


def _other_forms() -> dict[str, tuple[str, ...]]:
    groups = [("was", "were"), ("do", "does", "did")]
    groups += [
        (verb, lexicon.past(verb), lexicon.third_person(verb))
        for pair in lexicon.VERBS
        for verb in pair
    ]
    return {word: tuple(w for w in group if w != word) for group in groups for word in group}


OTHER_FORMS = _other_forms()
