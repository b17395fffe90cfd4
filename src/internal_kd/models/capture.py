"""One pass through a classifier of any family, and the features that it is requested to give."""

from collections.abc import Iterable

import torch
from torch import Tensor

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
