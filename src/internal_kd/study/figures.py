"""Which figures a study has, and which its tasks do not allow."""

from dataclasses import dataclass

import msgspec

from internal_kd.specs.analyses import FigureSettings
from internal_kd.specs.experiments import Experiment
from internal_kd.study.config import Study

# Kinds of figures that compare a student's attention and [CLS] vectors with its teacher's.
OF_ATTENTION = ("attention", "heads", "attention_kl")


@dataclass(frozen=True)
class Figure:
    """A figure of the config.

    Attributes:
        name: part of its files' names.
        kind: what is drawn.
        task: name of the task; empty where all tasks of Table 1 are shown.
        experiments: of kind convergence, what is drawn.
        example: row of the development split, from 0.
        layer: student layer, from 1; None for the last but one.
        head: attention head, from 1; None for the last.
    """

    name: str
    kind: str
    task: str = ""
    experiments: tuple[Experiment, ...] = ()
    example: int = 0
    layer: int | None = None
    head: int | None = None


def figures(study: Study) -> tuple[Figure, ...]:
    """The figures that the study can have, in the config's order."""
    skipped = skipped_figures(study)
    return tuple(
        _figure(study, name, fields)
        for name, fields in study.config.figures.items()
        if fields is not None and name not in skipped
    )


def skipped_figures(study: Study) -> dict[str, str]:
    """Figures of the config that the study cannot have, and why."""
    found = {
        name: _reason(study, fields)
        for name, fields in study.config.figures.items()
        if fields is not None
    }
    return {name: why for name, why in found.items() if why}


def _reason(study: Study, fields: FigureSettings) -> str:
    """Why a study cannot have a figure; empty if it can."""
    if fields.task and fields.task not in study.tasks:
        return f"its task {fields.task} is not one of the study's tasks"
    if fields.kind in OF_ATTENTION and not study.compares_attention:
        return "its students may have other attention heads or another width than their teachers"
    return ""


def _figure(study: Study, name: str, fields: FigureSettings) -> Figure:
    named = tuple(study.experiments[key] for key in fields.experiments or ())
    return Figure(name=name, **{**msgspec.to_builtins(fields), "experiments": named})
