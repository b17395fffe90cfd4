"""A teacher that cannot be trained by accident."""

from torch import nn, no_grad

from internal_kd.models.classifier import Classifier
from internal_kd.models.encoder import represent
from internal_kd.models.representations import Representations, Tokens


class FrozenTeacher(nn.Module):
    """A classifier without gradients and in evaluation mode, whatever a parent module is told."""

    def __init__(self, model: Classifier) -> None:
        super().__init__()
        self.model = model.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> "FrozenTeacher":
        """Stay in evaluation mode: dropout in the teacher would be noise in the targets."""
        return super().train(False)

    @no_grad()
    def forward(self, tokens: Tokens, depth: int | None = None) -> Representations:
        """Representations of every layer up to `depth`, see `represent`."""
        return represent(self.model, tokens, depth)
