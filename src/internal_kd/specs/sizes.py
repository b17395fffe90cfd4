"""Sizes in which a student may differ from its teacher, and what of an experiment does not fit."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from internal_kd.objectives.registry import HEADS, HIDDEN, OBJECTIVES, Objective
from internal_kd.specs.experiments import Experiment

UNITS = {HEADS: "attention heads", HIDDEN: "hidden units"}
Misfit = tuple[tuple[str, ...], str]


@dataclass(frozen=True)
class Sizes:
    """Attention heads and hidden units of an encoder's layers."""

    heads: int
    hidden: int

    def of(self, name: str) -> int:
        """The size of this name, `heads` or `hidden`."""
        return {HEADS: self.heads, HIDDEN: self.hidden}[name]


def sizes_in(config: Mapping[str, object]) -> Sizes | None:
    """The sizes in a model's `config.json`; None where it does not say them."""
    heads = config.get("num_attention_heads", config.get("n_heads"))
    hidden = config.get("hidden_size", config.get("dim"))
    return Sizes(heads, hidden) if isinstance(heads, int) and isinstance(hidden, int) else None


def misfits(
    experiment: Experiment, relation_heads: int | None, teacher: Sizes, student: Sizes
) -> Iterator[Misfit]:
    """Keys of an experiment that do not fit a student and a teacher, each with a sentence.

    Args:
        experiment: of the student.
        relation_heads: of the losses of relations; None for the teacher's heads.
        teacher: its sizes.
        student: the sizes of the model that it starts from.
    """
    yield from misfits_of_losses(experiment.internal, relation_heads, teacher, student)
    if experiment.init_from == "teacher" and student != teacher:
        sentence = "the teacher's layers have other sizes than student.base_model; write base"
        yield ("init_from",), sentence
    if experiment.head_init == "teacher" and student.hidden != teacher.hidden:
        widths = f"{student.hidden} and {teacher.hidden} hidden units"
        sentence = f"student and teacher have {widths}, so no head can be copied; write random"
        yield ("head_init",), sentence


def misfits_of_losses(
    internal: Iterable[str], relation_heads: int | None, teacher: Sizes, student: Sizes
) -> Iterator[Misfit]:
    """The same for losses between layers, by name; unknown ones are left out."""
    for name in internal:
        if name in OBJECTIVES:
            for sentence in _of_objective(OBJECTIVES[name], relation_heads, teacher, student):
                yield ("internal", name), sentence


def _of_objective(
    objective: Objective, relation_heads: int | None, teacher: Sizes, student: Sizes
) -> Iterator[str]:
    for size in objective.equal:
        if student.of(size) != teacher.of(size):
            able = sorted(name for name, other in OBJECTIVES.items() if size not in other.equal)
            yield (
                f"needs a student with the teacher's number of {UNITS[size]}, but they have "
                f"{student.of(size)} and {teacher.of(size)}; use one of {', '.join(able)}"
            )
    heads = relation_heads or teacher.heads
    if objective.relation_heads and (student.hidden % heads or teacher.hidden % heads):
        yield (
            f"{heads} relation heads do not divide the widths of student and teacher, "
            f"{student.hidden} and {teacher.hidden}; write a number that divides both as "
            "distillation.relation_heads"
        )
