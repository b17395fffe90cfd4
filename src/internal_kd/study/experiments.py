"""An experiment: which losses act when, between which layers, from which start. Data, not code."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Init = str | tuple[int, ...]


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
        schedule: ``simultaneous``, ``progressive`` (PID) or ``stacked`` (SID, Algorithm 1).
        output_from: whether the output loss acts from the start or once all layers are done.
        head_init: whether pooler and classifier start at random or as the teacher's.
        internal_updates: in a layer's turn, all that its losses reach or only the acting layers.
        output_updates: once all layers are done, all parameters or the head only.
    """

    name: str
    label: str
    paper_row: str | None = None
    kind: Literal["teacher", "student"] = "student"
    init: Init = "upper"
    internal: Mapping[str, float] = field(default_factory=dict)
    output: Mapping[str, float] = field(default_factory=dict)
    schedule: Literal["simultaneous", "progressive", "stacked"] = "simultaneous"
    output_from: Literal["start", "end"] = "start"
    head_init: Literal["random", "teacher"] = "random"
    internal_updates: Literal["all", "active"] = "all"
    output_updates: Literal["all", "head"] = "all"

    @property
    def is_teacher(self) -> bool:
        """Whether this is the fine-tuned base model itself."""
        return self.kind == "teacher"

    @property
    def needs_teacher(self) -> bool:
        """Whether a run asks a teacher for anything."""
        return bool(self.internal) or "soft" in self.output or self.head_init == "teacher"

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
        },
    )
