"""What a training's job is given: its part of the study, in the study's own types.

A job gets it as JSON and decodes it into the same types.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar, cast

import msgspec

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
class TrainingJob:
    """A training: which run it is, its settings, and what its best epoch is chosen on."""

    run: Run
    training: TrainingSettings
    selection: SelectionSettings = SelectionSettings()


@dataclass(frozen=True)
class TeacherJob(TrainingJob):
    """The fine-tuning of a teacher."""


def encode(job: object) -> Settings:
    """The settings of a job, one of these types, as plain data with every value written out."""
    return cast(Settings, msgspec.to_builtins(job))


def decode(settings: Mapping[str, object], kind: type[Spec]) -> Spec:
    """A job's settings, or a part of them, from plain data; other keys play no part.

    Raises:
        msgspec.ValidationError: they are no such settings, naming the place.
    """
    return msgspec.convert(settings, kind)
