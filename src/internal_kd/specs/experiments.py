"""An experiment: which losses act when, between which layers, from which start. Data, not code."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from internal_kd.objectives.registry import extensions_of, modules_of, reading_teacher
from internal_kd.specs.training import OwnTraining
from internal_kd.specs.values import EMPTIED_BY_NULL, NO_KEY, Count, Name, Text, Weight

Listed = Annotated[tuple[Count, ...], Meta(min_length=1)]
INITS = "upper, lower, spaced, last, random or a list of base layers"
# What a student starts from, beside general students: the pre-trained model, or the teacher.
ORIGINS = ("base", "teacher")
MAPS = "uniform, last, reversed, random, all_to_one, all or a list of teacher layers"
Init = Annotated[
    Literal["upper", "lower", "spaced", "last", "random"] | Listed,
    Meta(extra_json_schema={"expected": INITS}),
]
LayerMap = Annotated[
    Literal["uniform", "last", "reversed", "random", "all_to_one", "all"] | Listed,
    Meta(extra_json_schema={"expected": MAPS}),
]
Weights = Annotated[Mapping[Name, Weight], EMPTIED_BY_NULL]
PaperRow = Literal[
    "exp1.0",
    "exp1.1",
    "exp2.0",
    "exp3.0",
    "exp3.1",
    "exp3.2",
    "exp3.3",
    "exp3.4",
    "exp3.5",
    "exp3.6",
]
NameOrNone = Annotated[
    Name | None, Meta(extra_json_schema={"expected": "the name of an experiment, or null"})
]


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One row of a result table.

    Attributes:
        name: part of the runs' paths.
        label: what tables call it.
        kind: the teacher of all students (one per study), or a student.
        paper_row: row of the paper's Table 1 it is compared with.
        init: what the student's layers start from: the upper base layer of each group, the lowest
            base layers, layers at even distances from the first to the last, the last ones, random
            numbers, or the base layers listed (the lowest is 1).
        init_from: the model that layers, embeddings and pooler come from: the general pre-trained
            `base` model, the fine-tuned `teacher` of the run, or the general student of this name
            (see `agnostic`), which is taken as it is.
        layer_map: the teacher layer that each student layer learns from: the upper one of its
            group; the last one for the last student layer and none for the others; those of
            `uniform` in reverse order; different ones drawn by the run's seed; the last one for
            all; the teacher layers listed; or all of them for each, through a learned linear map.
        internal: weights of the losses between matched layers, by name of the objective.
        output: weights of the losses of the classifier's output, by name of the objective.
        schedule: all layers at once; one layer after the other; stacked as in Algorithm 1; or all
            layers first and then the output.
        output_from: whether the output loss acts from the start or once all layers are done.
        head_init: the student's head at the start: a new classification layer on the pooler of the
            model that it starts from, the trained teacher's pooler and classification layer, or
            those that the teacher's training started from.
        internal_updates: in a layer's turn, update all parameters that its losses reach or only
            the acting layers.
        output_updates: once all layers are done, update all parameters or the head only.
        layer_reduction: whether internal losses are averaged or summed over the layers that act.
        training: training settings that differ from those of the study's students.
        reading_of: name of the experiment that this one is another reading of.
    """

    name: Annotated[str, NO_KEY] = ""
    label: Text
    kind: Literal["teacher", "student"] = "student"
    paper_row: PaperRow | None = None
    init: Init = "upper"
    init_from: Name = "base"
    layer_map: LayerMap = "uniform"
    internal: Weights = field(default_factory=dict)
    output: Weights = field(default_factory=dict)
    schedule: Literal["simultaneous", "progressive", "stacked", "two_stage"] = "simultaneous"
    output_from: Literal["start", "end"] = "start"
    head_init: Literal["random", "teacher", "teacher_start"] = "random"
    internal_updates: Literal["all", "active"] = "all"
    output_updates: Literal["all", "head"] = "all"
    layer_reduction: Literal["mean", "sum"] = "mean"
    training: Annotated[OwnTraining, EMPTIED_BY_NULL] = field(default_factory=OwnTraining)
    reading_of: NameOrNone = None

    @property
    def is_teacher(self) -> bool:
        """Whether this is the fine-tuned base model itself."""
        return self.kind == "teacher"

    @property
    def needs_teacher(self) -> bool:
        """Whether a run needs a teacher."""
        starts_there = "teacher" in (self.init_from, self.head_init)
        return starts_there or self.reads_signals

    @property
    def reads_signals(self) -> bool:
        """Whether its losses read a teacher's signals."""
        return bool(self.internal) or bool(reading_teacher(self.output))

    @property
    def modules(self) -> tuple[str, ...]:
        """Modules that hold the functions of its objectives."""
        return modules_of(self.internal, self.output)

    @property
    def extensions(self) -> tuple[str, ...]:
        """Files of the user that objectives of it come from."""
        return extensions_of(self.internal, self.output)

    @property
    def has_stages(self) -> bool:
        """Whether layers are distilled one after the other."""
        return bool(self.internal) and self.schedule != "simultaneous"


def make_experiment(name: str, fields: Mapping[str, object]) -> Experiment:
    """Build an experiment from a config's entry that fits the schema; null stands for nothing.

    Raises:
        msgspec.ValidationError: it does not fit.
    """
    given = {key: value for key, value in fields.items() if value is not None}
    return msgspec.convert({**given, "name": name}, Experiment)


def acting_fields(experiment: Experiment) -> dict[str, object]:
    """The fields of an experiment that act during its training, by name."""
    named = {"name", "label", "paper_row", "reading_of"}
    return {key: value for key, value in asdict(experiment).items() if key not in named}
