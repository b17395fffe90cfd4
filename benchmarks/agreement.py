"""Whether a contestant minimises the loss of the reference."""

from dataclasses import dataclass

from torch import Tensor

from benchmarks.reference import LossAndGradients

TOLERANCE = 1e-5


@dataclass(frozen=True)
class Agreement:
    """Errors relative to the reference.

    Attributes:
        loss: of the loss.
        gradient: of the worst matrix of parameters, its largest error over its largest entry.
    """

    loss: float
    gradient: float

    @property
    def exact(self) -> bool:
        """Whether both errors are below `TOLERANCE`."""
        return max(self.loss, self.gradient) <= TOLERANCE


def compare(found: LossAndGradients, true: LossAndGradients) -> Agreement:
    """Errors of `found`, which must have a gradient for each matrix that `true` has one for.

    Vectors are left out: the exact gradient of a key's bias is 0.
    """
    matrices = [name for name, gradient in true.gradients.items() if gradient.ndim > 1]
    worst = max(_error(found.gradients[name], true.gradients[name]) for name in matrices)
    return Agreement(abs(found.loss - true.loss) / abs(true.loss), worst)


def _error(found: Tensor, true: Tensor) -> float:
    return ((found - true).abs().max() / true.abs().max()).item()
