"""The functions of the registry's entries, loaded and bound to the arguments that they take."""

import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import Generic, TypeVar, cast

from torch import Tensor, nn

from internal_kd.errors import UserError
from internal_kd.objectives.registry import (
    OBJECTIVES,
    OUTPUT_OBJECTIVES,
    TARGETS,
    AnyFunction,
    Combined,
    Function,
    Objective,
)

Fields = dict[str, Tensor]
Result = TypeVar("Result")


class Bound(Generic[Result]):
    """A function that is called with those of the given values that it takes.

    Args:
        function: named as `module:name`, or given itself.
    """

    def __init__(self, function: Function) -> None:
        if isinstance(function, str):
            module, _, name = function.partition(":")
            function = getattr(import_module(module), name)
        assert callable(function)
        self.function: AnyFunction = function
        self.arguments = tuple(inspect.signature(function).parameters)

    def __call__(self, given: Mapping[str, object]) -> Result:
        """What the function gives."""
        taken = {name: given[name] for name in self.arguments if name in given}
        return cast(Result, self.function(**taken))


class LayerLoss:
    """An internal objective: its loss between one student layer and its teacher layer.

    Args:
        name: of the objective.
        relation_heads: for one that has them; None for the teacher's heads.
        combined: whether a student layer learns from all layers of the teacher at once.

    Raises:
        UserError: it should be combined and has no such form.
    """

    def __init__(
        self, name: str, relation_heads: int | None = None, *, combined: bool = False
    ) -> None:
        objective = OBJECTIVES[name]
        form = _combined(name, objective) if combined else objective
        self.relation_heads = relation_heads
        self.features = objective.features
        self.fields = tuple(TARGETS[objective.target].fields)
        self.projection = form.projection
        self._function = Bound[Tensor](form.function)

    def new_projection(self, *sizes: int) -> nn.Module | None:
        """The module of a layer, drawn from torch's generator; None where it has none.

        Args:
            sizes: widths of student and teacher, and the number of the teacher's layers where the
                objective is combined.
        """
        if self.projection is None:
            return None
        make = Bound[nn.Module](self.projection).function
        return cast(nn.Module, make(*sizes))

    def __call__(
        self,
        student: Mapping[str, Tensor],
        teacher: Mapping[str, Tensor],
        mask: Tensor | None,
        projection: nn.Module | None = None,
    ) -> Tensor:
        """The loss as a scalar.

        Args:
            student: features of the layer.
            teacher: fields of the target, of the teacher's layer, or of all of them, see
                `registry.Combined`.
            mask: `[batch, tokens]`, 1 at real tokens; None if there is no padding.
            projection: of the layer, where the objective has one.
        """
        given: dict[str, object] = {f"student_{name}": values for name, values in student.items()}
        given |= {f"teacher_{name}": values for name, values in teacher.items()}
        given |= {"mask": mask, "lengths": None if mask is None else mask.sum(dim=-1)}
        given |= {"projection": projection, "relation_heads": self.relation_heads}
        return self._function(given)


def _combined(name: str, objective: Objective) -> Combined:
    if objective.combined is None:
        raise UserError(
            f"layer_map: all does not fit {name}, which compares single layers; use another map or "
            "another objective"
        )
    return objective.combined


class OutputLoss:
    """An output objective."""

    def __init__(self, name: str) -> None:
        self._function = Bound[Tensor](OUTPUT_OBJECTIVES[name].function)

    def __call__(self, given: Mapping[str, object]) -> Tensor:
        """The loss as a scalar.

        Args:
            given: `student_logits` and `teacher_logits` `[batch, classes]`, `labels` `[batch]`, and
                the `temperature`.
        """
        return self._function(given)


class TargetFields:
    """What a target makes of features of the teacher's layers."""

    def __init__(self, name: str) -> None:
        target = TARGETS[name]
        self.features = target.features
        self._function = Bound[Fields](target.function)
        self._derived = None if target.derived is None else Bound[Fields](target.derived)

    def __call__(self, features: Mapping[str, Tensor], mask: Tensor | None) -> Fields:
        """All fields, each `[batch, layers, ...]`.

        Args:
            features: of the teacher's layers, each `[batch, layers, ...]`.
            mask: `[batch, tokens]`, 1 at real tokens; None if there is no padding.
        """
        fields = self._function({**features, "mask": mask})
        return fields | self.derived(fields, mask)

    def derived(self, fields: Mapping[str, Tensor], mask: Tensor | None) -> Fields:
        """The fields that are computed from others as they are stored."""
        if self._derived is None:
            return {}
        return self._derived({**fields, "mask": mask})
