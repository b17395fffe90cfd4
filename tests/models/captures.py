"""Features of all layers of a classifier, for comparisons."""

from types import SimpleNamespace

from internal_kd.models.capture import capture
from internal_kd.models.features import CaptureRequest, Feature

NAMES: tuple[Feature, ...] = ("cls", "scores")


def represent(model, batch, depth: int | None = None, names: tuple[Feature, ...] = NAMES):
    """Features of the layers up to `depth`, tuples with one tensor per layer; logits of all."""
    layers = range(1, (model.config.num_hidden_layers if depth is None else depth) + 1)
    found = capture(model, batch, CaptureRequest.of(names, layers, logits=depth is None))
    features = {name: tuple(found.of_layer(name, layer) for layer in layers) for name in names}
    return SimpleNamespace(logits=found.logits, **features)
