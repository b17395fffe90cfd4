"""Which parameters a phase of the schedule updates."""

from collections.abc import Iterable

from torch import nn

from internal_kd.distillation.schedules import Phase
from internal_kd.models.bert import Classifier
from internal_kd.models.layers import embedding_parameters, encoder_layers, head_parameters


def select_updates(model: Classifier, phase: Phase) -> None:
    """Switch gradients on for the parameters that `phase` updates, and off for all others."""
    if phase.updates == "all":
        model.requires_grad_(True)
        return
    model.requires_grad_(False)
    if phase.updates == "active":
        layers = encoder_layers(model)
        for layer in phase.layers:
            layers[layer - 1].requires_grad_(True)
        if 1 in phase.layers:
            _switch_on(embedding_parameters(model))
    if phase.output:
        named = dict(model.named_parameters())
        _switch_on(named[name] for name in head_parameters(model))


def _switch_on(parameters: Iterable[nn.Parameter]) -> None:
    for parameter in parameters:
        parameter.requires_grad_(True)
