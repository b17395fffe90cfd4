"""An experiment: which losses act when, between which layers, from which start. Data, not code."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from internal_kd.objectives.registry import extensions_of, modules_of, reading_teacher

Init = str | tuple[int, ...]
Setting = str | int | float | bool | None


@dataclass(frozen=True)
class Experiment:
    """One row of a result table.

    Attributes:
        name: part of the runs' paths.
        label: what tables call it.
        paper_row: row of the paper's Table 1 it is compared with.
        kind: the teacher that all students of a task share, or a student.
        init: what the student's layers start from: ``upper`` (the upper base layer of each group,
            see `matched_teacher_layers`), ``lower``, ``random``, or one-based base layers.
        internal: weights of the losses between matched layers (Equations 2 and 3).
        output: weights of the losses of the classifier's output (Equation 1).
        schedule: ``simultaneous``, ``progressive`` (PID), ``stacked`` (SID, Algorithm 1) or
            ``two_stage`` (all layers, then the output).
        output_from: whether the output loss acts from the start or once all layers are done.
        head_init: the student's head at the start: ``random``, a classification layer redrawn on
            the base model's pooler; ``teacher``, pooler and classification layer of the trained
            teacher; ``teacher_start``, the ones that the teacher's training started from.
        internal_updates: in a layer's turn, all that its losses reach or only the acting layers.
        output_updates: once all layers are done, all parameters or the head only.
        layer_reduction: whether internal losses are averaged or summed over the acting layers.
        training: settings of the training that differ from the study's students.
        reading_of: the experiment that this one is another reading of, see table readings.
    """

    name: str = ""
    label: str = ""
    paper_row: str | None = None
    kind: Literal["teacher", "student"] = "student"
    init: Init = "upper"
    internal: Mapping[str, float] = field(default_factory=dict)
    output: Mapping[str, float] = field(default_factory=dict)
    schedule: Literal["simultaneous", "progressive", "stacked", "two_stage"] = "simultaneous"
    output_from: Literal["start", "end"] = "start"
    head_init: Literal["random", "teacher", "teacher_start"] = "random"
    internal_updates: Literal["all", "active"] = "all"
    output_updates: Literal["all", "head"] = "all"
    layer_reduction: Literal["mean", "sum"] = "mean"
    training: Mapping[str, Setting] = field(default_factory=dict)
    reading_of: str | None = None

    @property
    def is_teacher(self) -> bool:
        """Whether this is the fine-tuned base model itself."""
        return self.kind == "teacher"

    @property
    def needs_teacher(self) -> bool:
        """Whether a run needs a teacher."""
        taught = bool(self.internal) or bool(reading_teacher(self.output))
        return taught or self.head_init == "teacher"

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


def make_experiment(name: str, fields: Mapping[str, Any]) -> Experiment:
    """Build an experiment from a config's entry that fits the schema; null stands for nothing."""
    init = fields.get("init", "upper")
    return Experiment(
        name=name,
        **{
            **fields,
            "init": tuple(init) if isinstance(init, list) else init,
            "internal": fields.get("internal") or {},
            "output": fields.get("output") or {},
            "training": fields.get("training") or {},
        },
    )


def acting_fields(experiment: Experiment) -> dict[str, Any]:
    """The fields of an experiment that act during its training, by name."""
    named = {"name", "label", "paper_row", "reading_of"}
    return {key: value for key, value in asdict(experiment).items() if key not in named}
