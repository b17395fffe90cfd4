"""What a student's job is given; see `specs.jobs`, which does not depend on objectives.

What does not act in a training, such as a label, is set to its default, so that editing it reruns
nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from internal_kd.specs.experiments import Experiment
from internal_kd.specs.jobs import TeacherJob, TrainingJob, decode


@dataclass(frozen=True)
class SignalSettings:
    """Where a student's signals come from.

    Attributes:
        source: `stored`, `live`, or `auto` for stored ones where the budget holds them.
        attention: form of stored attention.
    """

    source: Literal["auto", "stored", "live"] = "auto"
    attention: Literal["fp32", "uint16"] = "fp32"


@dataclass(frozen=True)
class DistillationSettings:
    """Settings that all distillations of a study share.

    Attributes:
        temperature: of the soft labels.
        internal_fraction: share of the epochs that staged schedules give to the layers.
        cosine_threshold: a layer is finished once its cosine loss is below; 0 for never.
        signals: of the teacher; None for a student without one.
    """

    temperature: float = 1.0
    internal_fraction: float = 1.0
    cosine_threshold: float = 0.0
    signals: SignalSettings | None = None


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

    Names and labels do not act. Its initial student comes as a folder, and its own training
    settings are part of the job's.
    """
    named = replace(experiment, name="", label="", paper_row=None, reading_of=None)
    return replace(named, init="upper", training={})


def decode_either(settings: Mapping[str, object]) -> TrainingJob:
    """The job of a teacher or a student, whichever the settings are of; see `decode`."""
    if "experiment" in settings:
        return decode(settings, StudentJob)
    return decode(settings, TeacherJob)
