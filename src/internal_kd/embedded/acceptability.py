"""Single sentences and the ways to spoil them: the material of the CoLA-like task.

Most violations are between words that need not stand side by side, so n-grams do not find them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from internal_kd.embedded import events, lexicon
from internal_kd.embedded.events import Event, Phrase
from internal_kd.embedded.grammar import Speaker


@dataclass(frozen=True)
class Scene:
    """An event in which each participant may stand near another one, who is of no consequence.

    The bystander has the other number than its participant: "the painters near the dog".
    """

    event: Event
    agent_near: Phrase | None = None
    patient_near: Phrase | None = None


def sample_scene(speaker: Speaker, side: str, bystanders: float = 0.6) -> Scene:
    """A scene of the given side without adjectives on bystanders."""
    random = speaker.random
    event = events.sample_event(random, side, adjectives=0.2, adjuncts=0.2)

    def near(phrase: Phrase) -> Phrase | None:
        taken = (event.agent.noun, event.patient.noun)
        if random.random() >= bystanders:
            return None
        noun = random.choice([noun for noun in lexicon.NOUNS if noun not in taken])
        return Phrase(noun, not phrase.plural)

    return Scene(event, near(event.agent), near(event.patient))


def _phrase(phrase: Phrase, near: Phrase | None, speaker: Speaker, determiner: str = "the") -> str:
    text = speaker.phrase(phrase, determiner)
    if near is None:
        return text
    return f"{text} {speaker.random.choice(lexicon.PREPOSITIONS)} {speaker.phrase(near)}"


def agreement(scene: Scene, speaker: Speaker, good: bool) -> str:
    """The verb agrees with its subject, not with the bystander in between."""
    event = scene.event
    agent = _phrase(event.agent, scene.agent_near, speaker)
    patient = _phrase(event.patient, scene.patient_near, speaker)
    base = speaker.verb(event)
    acts = base if event.agent.plural is good else lexicon.third_person(base)
    do = "do" if event.agent.plural is good else "does"
    was = "were" if event.patient.plural is good else "was"
    return speaker.random.choice(
        (
            f"{agent} {acts} {patient} {_end(event)}.",
            f"it is {patient} that {agent} {acts} {_end(event)}.",
            f"{do} {agent} {base} {patient} {_end(event)}?",
            f"{patient} {was} {lexicon.past(base)} by {agent} {_end(event)}.",
        )
    )


def verb_form(scene: Scene, speaker: Speaker, good: bool) -> str:
    """After "did" stands the bare verb, after "was" and in a plain clause the past form."""
    event = scene.event
    base = speaker.verb(event)
    bare, done = (base, lexicon.past(base)) if good else (lexicon.past(base), base)
    agent = _phrase(event.agent, scene.agent_near, speaker)
    patient = _phrase(event.patient, scene.patient_near, speaker)
    was = "were" if event.patient.plural else "was"
    return speaker.random.choice(
        (
            f"did {agent} {bare} {patient} {_end(event)}?",
            f"{was} {patient} {done} by {agent} {_end(event)}?",
            f"was it {agent} that {done} {patient} {_end(event)}?",
        )
    )


def gap(scene: Scene, speaker: Speaker, good: bool) -> str:
    """Exactly one participant of a question stands at its front; none is told twice."""
    event, random = scene.event, speaker.random
    base = speaker.verb(event)
    done = lexicon.past(base)
    agent = _phrase(event.agent, scene.agent_near, speaker)
    patient = _phrase(event.patient, scene.patient_near, speaker)
    asked_agent = _phrase(event.agent, scene.agent_near, speaker, "which")
    asked_patient = _phrase(event.patient, scene.patient_near, speaker, "which")
    extra = ""
    if not good:
        taken = (event.agent.noun, event.patient.noun)
        nouns = [noun for noun in lexicon.NOUNS if noun not in taken]
        extra = speaker.phrase(Phrase(random.choice(nouns), random.random() < 0.3)) + " "
    return random.choice(
        (
            f"{asked_patient} did {agent} {base} {extra}{_end(event)}?",
            f"{asked_agent} {done} {patient} {extra}{_end(event)}?",
            f"it was {patient} that {agent} {done} {extra}{_end(event)}.",
            f"was it {patient} that {agent} {done} {extra}{_end(event)}?",
        )
    )


def order(scene: Scene, speaker: Speaker, good: bool) -> str:
    """A word stands at its place, not after its right neighbour."""
    rule = speaker.random.choice((agreement, verb_form, gap))
    words = rule(scene, speaker, True).split()
    if not good:
        place = speaker.random.randrange(len(words) - 2)
        words[place : place + 2] = words[place + 1], words[place]
    return " ".join(words)


def _end(event: Event) -> str:
    return " ".join(part for part in (event.place, event.time, "") if part is not None)


PHENOMENA: dict[str, Callable[[Scene, Speaker, bool], str]] = {
    "agreement": agreement,
    "verb_form": verb_form,
    "gap": gap,
    "order": order,
}
WEIGHTS: dict[str, float] = {"agreement": 0.1, "verb_form": 0.1, "gap": 0.5, "order": 0.3}


def sentence(
    speaker: Speaker, side: str, good: bool, weights: Mapping[str, float] = WEIGHTS
) -> str:
    """A sentence of the given side that is acceptable, or violates one rule."""
    kind = speaker.random.choices(list(weights), list(weights.values()))[0]
    return PHENOMENA[kind](sample_scene(speaker, side), speaker, good)
