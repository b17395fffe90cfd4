"""An objective compiled by torch: on a GPU a step's forward and backward pass are CUDA graphs.

At 32 short examples a step launches more operations than a GPU has work for. A graph is launched
as a whole. It holds for one shape and one phase, so batches come in few widths (see
`TrainingSettings.multiple`), and the smaller batch that may end an epoch is not compiled. torch's
compiler, which takes a second to import, is loaded only where this module's objects are made.
"""

import os
import shutil
from typing import Protocol, TypedDict, cast, runtime_checkable

import torch
from torch import Tensor

from internal_kd.data.batches import Batch
from internal_kd.distillation.schedules import Phase
from internal_kd.distillation.training import Objective
from internal_kd.errors import UserError
from internal_kd.models.bert import BertClassifier, Classifier
from internal_kd.torch_internals import allow_recompilations

VARIANTS = 4096  # more than phases times widths of any training; torch would stop compiling at 8
Terms = dict[str, Tensor]


class CompilerOptions(TypedDict):
    """Arguments of `torch.compile`."""

    mode: str
    dynamic: bool
    fullgraph: bool


OPTIONS: CompilerOptions = {"mode": "reduce-overhead", "dynamic": False, "fullgraph": True}


@runtime_checkable
class SignalledObjective(Protocol):
    """An objective that can look up the teacher's signals in advance."""

    def precomputed(self, batch: Batch, phase: Phase) -> object:
        """What is looked up; None if that is left to the call."""
        ...

    def __call__(
        self, model: Classifier, batch: Batch, phase: Phase, signals: object = None
    ) -> tuple[Tensor, Terms]:
        """See `training.Objective`; `signals` is what `precomputed` gave."""
        ...


class CompiledObjective:
    """Computes what `objective` does; phases and shapes are compiled at their first use.

    Stored signals of the teacher are read outside, by `objective.precomputed` where there is one.
    The results of a step are overwritten by the next one.

    Args:
        objective: as `Training` takes it, perhaps a `SignalledObjective`.
        model: that it will be called with.
        batch_size: number of examples in the batches to be compiled; others run eagerly.

    Raises:
        UserError: the model is not our own BERT, or what the compiler needs is not installed.
    """

    def __init__(self, objective: Objective, model: Classifier, batch_size: int) -> None:
        _check(model)
        # Configured before the first compilation, and for this process, which does one training.
        allow_recompilations(VARIANTS)
        self.objective = objective
        self.batch_size = batch_size
        self._signalled = objective if isinstance(objective, SignalledObjective) else None
        self._compiled = torch.compile(_loss_and_terms, **OPTIONS)

    def __call__(self, model: Classifier, batch: Batch, phase: Phase) -> tuple[Tensor, Terms]:
        """Loss and terms, see `training.Objective`; the terms have no gradients."""
        if len(batch.rows) != self.batch_size:
            return self.objective(model, batch, phase)
        torch.compiler.cudagraph_mark_step_begin()
        signals = None if self._signalled is None else self._signalled.precomputed(batch, phase)
        return self._compiled(self.objective, model, batch, phase, signals)


def _loss_and_terms(
    objective: Objective, model: Classifier, batch: Batch, phase: Phase, signals: object
) -> tuple[Tensor, Terms]:
    """The terms are returned detached: the backward pass would fill in zeros for each."""
    if signals is None:
        loss, terms = objective(model, batch, phase)
    else:
        loss, terms = cast(SignalledObjective, objective)(model, batch, phase, signals)
    return loss, {name: term.detach() for name, term in terms.items()}


def _check(model: Classifier) -> None:
    if not isinstance(model, BertClassifier):
        raise UserError(
            f"training.compile: a {type(model).__name__} cannot be compiled here, only a BERT with "
            "its usual settings; write compile: false"
        )
    if not _compilers(model.device):
        raise UserError(
            "training.compile: torch's compiler needs a C++ compiler and found none; install g++, "
            "name one in CXX, or write compile: false"
        )


def _compilers(device: torch.device) -> list[str]:
    """Compilers on the PATH that would do: of C++, or of C for the launchers of GPU kernels."""
    names = ("CC", "gcc", "clang", "cc") if device.type == "cuda" else ("CXX", "g++", "clang++")
    given = os.environ.get(names[0])
    return [name for name in ((given,) if given else names[1:]) if shutil.which(name)]
