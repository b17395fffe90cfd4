"""Five tasks in the embedded language, shaped like CoLA, QQP, MRPC, RTE and QNLI of GLUE.

Every event belongs to one side for good (see `events.Event.side`), so no verb with its participants
is seen in two of: pre-training corpus, training, validation, test. All splits are labelled.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from internal_kd.embedded import acceptability, inference, paraphrase
from internal_kd.embedded.grammar import Speaker
from internal_kd.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa

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
        lambda s, side, label: (acceptability.sentence(s, side, label == 1),),
    ),
    "qqp": Recipe(
        ("question1", "question2"),
        800,
        0.4,
        lambda s, side, label: paraphrase.questions(s, side, label == 1),
    ),
    "mrpc": Recipe(
        ("sentence1", "sentence2"),
        600,
        0.5,
        lambda s, side, label: paraphrase.statements(s, side, label == 1),
    ),
    "rte": Recipe(
        ("sentence1", "sentence2"),
        800,
        0.5,
        lambda s, side, label: inference.premise_and_hypothesis(s, side, label == 0),
    ),
    "qnli": Recipe(
        ("question", "sentence"),
        1000,
        0.5,
        lambda s, side, label: inference.question_and_sentence(s, side, label == 0),
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
