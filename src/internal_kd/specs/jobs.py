"""What a training's job is given: its part of the study, in the study's own types.

A job gets it as JSON and decodes it into the same types.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar, cast

import msgspec
from msgspec import Meta

from internal_kd.specs.runs import Run
from internal_kd.specs.training import TrainingSettings

Spec = TypeVar("Spec")
Settings = dict[str, object]
# The config's share; a job that holds nothing out has 0.
HeldOut = Annotated[float, Meta(extra_json_schema={"exclusiveMinimum": 0, "maximum": 0.5})]


@dataclass(frozen=True)
class SelectionSettings:
    """What the best epoch is chosen on.

    Attributes:
        split: the development split, or a part of the training split that nothing is trained on.
        share: share of the training split that is held out.
    """

    split: Literal["validation", "holdout"] = "validation"
    share: HeldOut = 0.0


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
