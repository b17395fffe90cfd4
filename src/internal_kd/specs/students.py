"""What a student's job is given; see `specs.jobs`, which does not depend on objectives.

What does not act in a training, such as a label, is set to its default, so that editing it reruns
nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from msgspec import Meta

from internal_kd.specs.experiments import Experiment
from internal_kd.specs.jobs import TeacherJob, TrainingJob, decode
from internal_kd.specs.training import OwnTraining
from internal_kd.specs.values import Count, Positive

SignalSource = Literal["auto", "stored", "live"]
AttentionForm = Literal["fp32", "uint16"]
InternalShare = Annotated[float, Meta(gt=0, le=1)]
# No cosine loss is above 2; a higher threshold ends a layer after its first epoch.
CosineLoss = Annotated[float, Meta(ge=0, extra_json_schema={"maximum": 2})]


@dataclass(frozen=True)
class SignalSettings:
    """Where a student's signals come from.

    Attributes:
        source: one pass stored on disk for all runs, a forward pass per batch, or stored where the
            budget permits.
        attention: how attention probabilities are stored, in single precision or 16-bit fixed
            point.
    """

    source: SignalSource = "auto"
    attention: AttentionForm = "fp32"


@dataclass(frozen=True)
class DistillationSettings:
    """Settings that all distillations of a study share.

    Attributes:
        temperature: temperature of the soft labels.
        internal_fraction: share of the epochs that progressive and stacked schedules give to the
            layers, split evenly.
        cosine_threshold: mean cosine loss per batch below which the next layer's turn comes; 0
            never.
        signals: of the teacher; None for a student without one.
        relation_heads: number of heads into which the losses of relations divide queries, keys and
            values; null for the teacher's attention heads.
    """

    temperature: Positive = 1.0
    internal_fraction: InternalShare = 1.0
    cosine_threshold: CosineLoss = 0.0
    signals: SignalSettings | None = None
    relation_heads: Count | None = None


@dataclass(frozen=True, kw_only=True)
class StudentJob(TrainingJob):
    """The training of a student; its settings have what the experiment changes in them.

    Attributes:
        experiment: see `acting`.
        distillation: what does not act in the experiment stands at a fixed value.
        teacher_seed: of the teacher whose untrained head the student starts with; None where it
            starts with another.
        extensions: files of the user that the experiment's objectives come from.
    """

    experiment: Experiment
    distillation: DistillationSettings = DistillationSettings()
    teacher_seed: int | None = None
    extensions: tuple[str, ...] = ()


def acting(experiment: Experiment) -> Experiment:
    """An experiment as its training reads it.

    Names and labels do not act, nor does a map of layers without losses between layers. Its initial
    student comes as a folder, whichever model that is, and its own training settings are part of
    the job's.
    """
    named = replace(experiment, name="", label="", paper_row=None, reading_of=None)
    layer_map = experiment.layer_map if experiment.internal else "uniform"
    origin = "teacher" if experiment.init_from == "teacher" else "base"
    start = replace(named, init="upper", init_from=origin)
    return replace(start, layer_map=layer_map, training=OwnTraining())


def decode_either(settings: Mapping[str, object]) -> TrainingJob:
    """The job of a teacher or a student, whichever the settings are of; see `decode`."""
    if "experiment" in settings:
        return decode(settings, StudentJob)
    return decode(settings, TeacherJob)
