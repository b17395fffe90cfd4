"""A teacher that cannot be trained by accident."""

from dataclasses import replace

from torch import nn, no_grad

from internal_kd.models.bert import Classifier
from internal_kd.models.capture import capture
from internal_kd.models.features import Capture, CaptureRequest, Tokens


class FrozenTeacher(nn.Module):
    """A classifier without gradients and in evaluation mode, whatever a parent module's mode."""

    def __init__(self, model: Classifier) -> None:
        super().__init__()
        self.model = model.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> "FrozenTeacher":
        """Stay in evaluation mode: dropout in the teacher would be noise in the targets."""
        return super().train(False)

    @no_grad()
    def forward(self, tokens: Tokens, request: CaptureRequest) -> Capture:
        """See `capture`; what it gives does not depend on what else is requested."""
        return capture(self.model, tokens, replace(request, every_row=True))
