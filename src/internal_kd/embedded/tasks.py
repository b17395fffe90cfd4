"""Five tasks in the embedded language, shaped like CoLA, QQP, MRPC, RTE and QNLI of GLUE.

Every event belongs to one side for good (see `events.Event.side`), so no verb with its participants
is seen in two of: pre-training corpus, training, validation, test. All splits are labelled.

Single sentences and the ways to spoil them: the material of the CoLA-like task.

Most violations are between words that need not stand side by side, so n-grams do not find them.

Pairs of which one may follow from the other: the material of the RTE- and the QNLI-like task.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from internal_kd.embedded import grammar
from internal_kd.embedded.grammar import Speaker
from internal_kd.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa

from collections.abc import Mapping
from dataclasses import replace

from internal_kd.embedded import events, lexicon
from internal_kd.embedded.events import Event, Phrase
from internal_kd.embedded.grammar import two_wordings

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


SPLITS: tuple[str, ...] = ("train", "validation", "test")
VALIDATION_SIZE = 500
TEST_SIZE = 1000

Maker = Callable[[Speaker, str, int], tuple[str, ...]]


@dataclass(frozen=True)
class Recipe:
    """How a task is made.

    Attributes:
        columns: names of the text columns, as in GLUE.
        train_size: training examples.
        share: share of label 1.
        make: speaker, side, label -> texts.
    """

    columns: tuple[str, ...]
    train_size: int
    share: float
    make: Maker


RECIPES: dict[str, Recipe] = {
    "cola": Recipe(
        ("sentence",),
        1000,
        0.6,
        lambda s, side, label: (sentence(s, side, label == 1),),
    ),
    "qqp": Recipe(
        ("question1", "question2"),
        800,
        0.4,
        lambda s, side, label: grammar.questions(s, side, label == 1),
    ),
    "mrpc": Recipe(
        ("sentence1", "sentence2"),
        600,
        0.5,
        lambda s, side, label: grammar.statements(s, side, label == 1),
    ),
    "rte": Recipe(
        ("sentence1", "sentence2"),
        800,
        0.5,
        lambda s, side, label: premise_and_hypothesis(s, side, label == 0),
    ),
    "qnli": Recipe(
        ("question", "sentence"),
        1000,
        0.5,
        lambda s, side, label: question_and_sentence(s, side, label == 0),
    ),
}


def generate(task: str, seed: int) -> "dict[str, pa.Table]":
    """The splits train, validation and test of a task: text columns, `label` and `idx` (int64).

    The same task and seed give the same tables. Another seed gives other examples of the same
    sides: what is test for one seed is test for all.

    Raises:
        UserError: there is no embedded task of this name.
    """
    if task not in RECIPES:
        raise UserError(
            f"data.source: the embedded study has no task {task!r}; it has {', '.join(RECIPES)}"
        )
    recipe = RECIPES[task]
    sizes = {"train": recipe.train_size, "validation": VALIDATION_SIZE, "test": TEST_SIZE}
    return {
        split: _table(recipe, split, sizes[split], f"{task}/{split}/{seed}") for split in SPLITS
    }


def _table(recipe: Recipe, side: str, size: int, key: str) -> "pa.Table":
    import pyarrow as pa

    rows = _examples(recipe, side, size, Random(key))
    columns = {name: [texts[n] for texts, _ in rows] for n, name in enumerate(recipe.columns)}
    return pa.table(
        {
            **columns,
            "label": pa.array([label for _, label in rows], pa.int64()),
            "idx": pa.array(range(size), pa.int64()),
        }
    )


def _examples(
    recipe: Recipe, side: str, size: int, random: Random
) -> list[tuple[tuple[str, ...], int]]:
    """Different examples with exactly the recipe's share of labels, in random order."""
    labels = [int(number < round(recipe.share * size)) for number in range(size)]
    random.shuffle(labels)
    speaker = Speaker(random)
    seen: set[tuple[str, ...]] = set()
    rows = []
    for label in labels:
        texts = recipe.make(speaker, side, label)
        while texts in seen:
            texts = recipe.make(speaker, side, label)
        seen.add(texts)
        rows.append((texts, label))
    return rows
