"""The objectives of distillation: what each of them reads, and which function it is.

Imports no torch, so that a study can be checked and planned without it. Functions are named by
module and name, and loaded when a training needs them.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from internal_kd.models.families import features_of
from internal_kd.models.features import Feature

# Of any arguments: a function is called with those that it names.
AnyFunction = Callable[..., object]  # type: ignore[explicit-any]
Function = str | AnyFunction
TOKENS, HEADS, HIDDEN, HEAD_SIZE = "tokens", "heads", "hidden", "head size"


@dataclass(frozen=True)
class Field:
    """Numbers that are stored of each example and layer.

    Attributes:
        shape: names of the axes behind batch and layer: `tokens`, `heads`, `hidden`, `head size`.
        bytes: of a number.
        packed: whether the config may have it stored in 16-bit fixed point; it is then 0 to 1.
    """

    shape: tuple[str, ...]
    bytes: int = 4
    packed: bool = False


@dataclass(frozen=True)
class Target:
    """What an objective reads of the teacher: a function of features of its layers.

    Attributes:
        features: of the teacher's layers, see `models.features`.
        fields: that are stored, by name.
        function: gives the fields, by name, each `[batch, layers, ...]`, from the features, each
            `[batch, layers, ...]`, and `mask` `[batch, tokens]` (None without padding); values at
            padding are zero.
        derived: gives more fields, from the fields as they are stored and `mask`.
    """

    features: tuple[Feature, ...]
    fields: Mapping[str, Field]
    function: Function
    derived: Function | None = None


@dataclass(frozen=True)
class Combined:
    """An objective where each student layer learns from all teacher layers (`layer_map: all`).

    Attributes:
        function: as that of an `Objective`, but with all layers of the teacher in each
            `teacher_<field>`, `[batch, teacher layers, ...]`.
        projection: gives the module of a student layer from the widths of student and teacher and
            the number of the teacher's layers.
    """

    function: Function
    projection: Function


@dataclass(frozen=True)
class Objective:
    """A loss between a layer of the student and the teacher's layer that it is matched with.

    Attributes:
        function: gives a scalar from `student_<feature>` of one layer, `teacher_<field>` of its
            teacher layer, and, where it has such arguments, `lengths` `[batch]` and `mask`
            `[batch, tokens]` (None without padding), `projection`, the layer's own module, and
            `relation_heads`, a setting of the study (None for the teacher's heads).
        features: of the student's layer.
        target: name of what it reads of the teacher.
        projection: gives a module for each layer from the widths of student and teacher; its
            parameters are trained with the student's and are no part of the saved model. None for
            an objective without.
        relation_heads: whether `relation_heads` is one of the function's arguments.
        equal: in what student and teacher must be equal, `heads` (number of attention heads) and
            `hidden` (width); none of them where the loss permits students of other sizes.
        combined: what it is with `layer_map: all`; None where it has no such form.
    """

    function: Function
    features: tuple[Feature, ...]
    target: str
    projection: Function | None = None
    relation_heads: bool = False
    equal: tuple[str, ...] = (HEADS, HIDDEN)
    combined: Combined | None = None

    @property
    def functions(self) -> tuple[Function, ...]:
        """All functions of its own."""
        combined = self.combined
        more = () if combined is None else (combined.function, combined.projection)
        return (self.function, *(() if self.projection is None else (self.projection,)), *more)


@dataclass(frozen=True)
class OutputObjective:
    """A loss of the classifier's output.

    Attributes:
        function: gives a scalar from those of `student_logits` and `teacher_logits` `[batch,
            classes]`, `labels` `[batch]` and `temperature` that it has as arguments.
        reads_teacher: whether `teacher_logits` is one of them.
        reads_temperature: whether `temperature` is.
    """

    function: Function
    reads_teacher: bool = False
    reads_temperature: bool = False


TARGETS: dict[str, Target] = {
    "cls": Target(
        features=("cls",),
        fields={"cls": Field((HIDDEN,))},
        function="internal_kd.objectives.hidden:cls_target",
    ),
    "hidden": Target(
        features=("hidden",),
        fields={"hidden": Field((TOKENS, HIDDEN))},
        function="internal_kd.objectives.hidden:hidden_target",
    ),
    "scores": Target(
        features=("scores",),
        fields={"scores": Field((HEADS, TOKENS, TOKENS))},
        function="internal_kd.objectives.attention:scores_target",
    ),
    "query": Target(
        features=("query",),
        fields={"query": Field((HEADS, TOKENS, HEAD_SIZE))},
        function="internal_kd.objectives.relations:query_target",
    ),
    "key": Target(
        features=("key",),
        fields={"key": Field((HEADS, TOKENS, HEAD_SIZE))},
        function="internal_kd.objectives.relations:key_target",
    ),
    "value": Target(
        features=("value",),
        fields={"value": Field((HEADS, TOKENS, HEAD_SIZE))},
        function="internal_kd.objectives.relations:value_target",
    ),
    "attention": Target(
        features=("scores",),
        fields={
            "attention": Field((HEADS, TOKENS, TOKENS), packed=True),
            "entropy": Field((), bytes=8),
        },
        function="internal_kd.objectives.attention:attention_target",
        derived="internal_kd.objectives.attention:entropy_target",
    ),
}

OBJECTIVES: dict[str, Objective] = {
    "attention_kl": Objective(
        function="internal_kd.objectives.attention:attention_kl",
        features=("scores",),
        target="attention",
        equal=(HEADS,),
    ),
    "cls_cosine": Objective(
        function="internal_kd.objectives.hidden:cls_cosine",
        features=("cls",),
        target="cls",
        equal=(HIDDEN,),
    ),
    "cls_mse": Objective(
        function="internal_kd.objectives.hidden:cls_mse",
        features=("cls",),
        target="cls",
        projection="internal_kd.objectives.hidden:linear_between_widths",
        equal=(),
        combined=Combined(
            function="internal_kd.objectives.hidden:combined_cls_mse",
            projection="internal_kd.objectives.hidden:linear_of_all_layers",
        ),
    ),
    "cls_contrast": Objective(
        function="internal_kd.objectives.hidden:cls_contrast",
        features=("cls",),
        target="cls",
        projection="internal_kd.objectives.hidden:linear_between_widths",
        equal=(),
    ),
    "hidden_mse": Objective(
        function="internal_kd.objectives.hidden:hidden_mse",
        features=("hidden",),
        target="hidden",
        projection="internal_kd.objectives.hidden:linear_between_widths",
        equal=(),
        combined=Combined(
            function="internal_kd.objectives.hidden:combined_hidden_mse",
            projection="internal_kd.objectives.hidden:linear_of_all_layers",
        ),
    ),
    "attention_mse": Objective(
        function="internal_kd.objectives.attention:attention_mse",
        features=("scores",),
        target="scores",
        equal=(HEADS,),
    ),
    "query_relation_kl": Objective(
        function="internal_kd.objectives.relations:query_relation_kl",
        features=("query",),
        target="query",
        relation_heads=True,
        equal=(),
    ),
    "key_relation_kl": Objective(
        function="internal_kd.objectives.relations:key_relation_kl",
        features=("key",),
        target="key",
        relation_heads=True,
        equal=(),
    ),
    "value_relation_kl": Objective(
        function="internal_kd.objectives.relations:value_relation_kl",
        features=("value",),
        target="value",
        relation_heads=True,
        equal=(),
    ),
}

OUTPUT_OBJECTIVES: dict[str, OutputObjective] = {
    "soft": OutputObjective(
        function="internal_kd.objectives.output:soft_cross_entropy",
        reads_teacher=True,
        reads_temperature=True,
    ),
    "hard": OutputObjective(function="internal_kd.objectives.output:hard_cross_entropy"),
}


# Files of users that have registered objectives, by the names of their modules.
EXTENSIONS: dict[str, str] = {}


def extensions_of(internal: Iterable[str], output: Iterable[str]) -> tuple[str, ...]:
    """Files of users that these objectives and their targets come from."""
    files = set(EXTENSIONS.values())
    return tuple(name for name in modules_of(internal, output) if name in files)


@dataclass(frozen=True)
class Amounts:
    """Examples, and sums over them of their tokens and of the squares of their tokens."""

    rows: float
    tokens: float
    squares: float

    def of(self, token_axes: int) -> float:
        """Sum over examples of tokens to this power."""
        return (self.rows, self.tokens, self.squares)[token_axes]


def target_bytes(
    name: str, layers: int, sizes: Mapping[str, int], amounts: Amounts, packed_bytes: int = 4
) -> float:
    """Bytes that a target of some layers takes.

    Args:
        name: of the target.
        layers: number of teacher layers.
        sizes: of the axes `heads`, `hidden` and `head size`.
        amounts: of the examples.
        packed_bytes: of a number that may be stored in fixed point.
    """
    total = 0.0
    for stored in TARGETS[name].fields.values():
        fixed = math.prod(sizes[axis] for axis in stored.shape if axis != TOKENS)
        number = packed_bytes if stored.packed else stored.bytes
        total += number * layers * fixed * amounts.of(stored.shape.count(TOKENS))
    return total


def targets_of(internal: Iterable[str]) -> tuple[str, ...]:
    """Names of what these objectives read of the teacher's layers."""
    return tuple(dict.fromkeys(OBJECTIVES[name].target for name in internal))


def features_read(objective: str) -> tuple[Feature, ...]:
    """The features of layers that an objective reads, of the student's or of the teacher's."""
    found = OBJECTIVES[objective]
    return tuple(dict.fromkeys((*found.features, *TARGETS[found.target].features)))


def obstacle(objective: str, family: str) -> str | None:
    """What an objective reads that the encoders of a family do not give, as a clause; or None."""
    given = features_of(family)
    for feature in features_read(objective):
        if feature not in given:
            return (
                f"reads the {feature} of attention, which {family} does not give; leave it out or "
                "use another base model"
            )
    return None


def reading_teacher(output: Iterable[str]) -> tuple[str, ...]:
    """Those of these output objectives that read the teacher's logits."""
    return tuple(name for name in output if OUTPUT_OBJECTIVES[name].reads_teacher)


def having_relation_heads(internal: Iterable[str]) -> tuple[str, ...]:
    """Those of these internal objectives that have a number of relation heads."""
    return tuple(name for name in internal if OBJECTIVES[name].relation_heads)


def reading_temperature(output: Iterable[str]) -> tuple[str, ...]:
    """Those of these output objectives that have a temperature."""
    return tuple(name for name in output if OUTPUT_OBJECTIVES[name].reads_temperature)


def modules_of(internal: Iterable[str], output: Iterable[str]) -> tuple[str, ...]:
    """Modules that hold the functions of these objectives and of their targets, sorted."""
    objectives = [OBJECTIVES[name] for name in internal]
    own = {_module(function) for objective in objectives for function in objective.functions}
    own |= {_module(OUTPUT_OBJECTIVES[name].function) for name in output}
    return tuple(sorted(own.union(*(target_modules(each.target) for each in objectives))))


def target_modules(name: str) -> tuple[str, ...]:
    """Modules that hold the functions of a target, sorted."""
    functions: tuple[Function | None, ...] = (TARGETS[name].function, TARGETS[name].derived)
    return tuple(sorted({_module(function) for function in functions if function is not None}))


def _module(function: Function) -> str:
    """The module that holds a function; of an extension, its file."""
    if isinstance(function, str):
        return function.partition(":")[0]
    return EXTENSIONS.get(function.__module__, function.__module__)
