"""What a training's job is given: its part of the study, in the study's own types.

A job gets it as JSON and reads it into the same types. What does not act in a training, such as a
label, stands at its default, so that editing it reruns nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeVar, cast

import msgspec

from internal_kd.specs.experiments import Experiment
from internal_kd.specs.runs import Run
from internal_kd.specs.training import TrainingSettings

Spec = TypeVar("Spec")
Settings = dict[str, object]


@dataclass(frozen=True)
class SelectionSettings:
    """What the best epoch is chosen on.

    Attributes:
        split: `validation`, or `holdout` for a part of the training split.
        share: of the training split that is held out; counts for `holdout` alone.
    """

    split: Literal["validation", "holdout"] = "validation"
    share: float = 0.0


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


@dataclass(frozen=True)
class TeacherJob:
    """The fine-tuning of a teacher."""

    run: Run
    training: TrainingSettings
    selection: SelectionSettings = SelectionSettings()


@dataclass(frozen=True)
class StudentJob:
    """The training of a student.

    Attributes:
        run: which one it is.
        experiment: see `acting`.
        training: with what the experiment changes in it.
        distillation: what does not act in the experiment stands at a fixed value.
        selection: what the best epoch is chosen on.
        teacher_seed: of the teacher whose untrained head the student starts with; None where it
            starts with another.
        extensions: files of the user that the experiment's objectives come from.
    """

    run: Run
    experiment: Experiment
    training: TrainingSettings
    distillation: DistillationSettings = DistillationSettings()
    selection: SelectionSettings = SelectionSettings()
    teacher_seed: int | None = None
    extensions: tuple[str, ...] = ()


TrainingJob = TeacherJob | StudentJob


def acting(experiment: Experiment) -> Experiment:
    """An experiment as its training reads it.

    Names and labels do not act. Its initial student comes as a folder, and its own training
    settings are part of the job's.
    """
    named = replace(experiment, name="", label="", paper_row=None, reading_of=None)
    return replace(named, init="upper", training={})


def encode(job: TrainingJob) -> Settings:
    """A job's settings as plain data, every value written out."""
    return cast(Settings, msgspec.to_builtins(job))


def decode_either(settings: Mapping[str, object]) -> TrainingJob:
    """The job of a teacher or a student, whichever the settings are of; see `decode`."""
    if "experiment" in settings:
        return decode(settings, StudentJob)
    return decode(settings, TeacherJob)


def decode(settings: Mapping[str, object], kind: type[Spec]) -> Spec:
    """A job's settings, or a part of them, from plain data; other keys play no part.

    Raises:
        msgspec.ValidationError: they are no such settings, naming the place.
    """
    return msgspec.convert(settings, kind)
