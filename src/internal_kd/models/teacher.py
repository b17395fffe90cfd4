"""A teacher that cannot be trained by accident."""

from torch import nn, no_grad
from transformers import PreTrainedModel

from internal_kd.models.encoder import Representations, Tokens, represent


class FrozenTeacher(nn.Module):
    """A classifier without gradients and in evaluation mode, whatever a parent module is told."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> "FrozenTeacher":
        """Stay in evaluation mode: dropout in the teacher would be noise in the targets."""
        return super().train(False)

    @no_grad()
    def forward(self, tokens: Tokens) -> Representations:
        """Representations of every layer, see `represent`."""
        return represent(self.model, tokens)
