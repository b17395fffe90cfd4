"""One pass through a classifier of any family, and the features it gives; a frozen teacher."""

from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import Tensor, nn, no_grad

from internal_kd.models.bert import BertClassifier, Classifier
from internal_kd.models.features import Capture, CaptureRequest, Feature, Tokens

LOGITS = CaptureRequest(logits=True)


def capture(model: Classifier, tokens: Tokens, request: CaptureRequest) -> Capture:
    """Features of a padded batch on the model's device.

    Nothing is computed above the highest layer that is requested.
    """
    if isinstance(model, BertClassifier):
        return model(tokens, request)
    from internal_kd.models.pretrained import capture_pretrained

    return capture_pretrained(model, tokens, request)


def stacked(captured: Capture, name: Feature, layers: Iterable[int]) -> Tensor:
    """A feature of several layers, `[batch, layers, ...]`."""
    return torch.stack([captured.of_layer(name, layer) for layer in layers], dim=1)


def logits_of(model: Classifier, tokens: Tokens) -> Tensor:
    """Logits `[batch, classes]` alone."""
    logits = capture(model, tokens, LOGITS).logits
    assert logits is not None
    return logits


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
