"""Which parameters a stage of the schedule updates."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from torch import nn

from internal_kd.distillation.schedules import Stage
from internal_kd.models.classifier import Classifier
from internal_kd.models.layers import embedding_parameters, encoder_layers, head_parameters


@dataclass(frozen=True)
class UpdateRule:
    """What is updated.

    Attributes:
        internal: in a stage before the final one, `all` parameters that the loss reaches or those
            of the `active` layers, the embeddings together with the first layer.
        output: in the final stage, `all` parameters or the `head` (pooler and classifier).
    """

    internal: Literal["all", "active"] = "all"
    output: Literal["all", "head"] = "all"


def select_updates(model: Classifier, rule: UpdateRule, stage: Stage) -> None:
    """Switch gradients on for the parameters that `stage` updates, and off for all others."""
    if not _restricted(rule, stage):
        model.requires_grad_(True)
        return
    model.requires_grad_(False)
    if not stage.final:
        layers = encoder_layers(model)
        for layer in stage.layers:
            layers[layer - 1].requires_grad_(True)
        if 1 in stage.layers:
            _switch_on(embedding_parameters(model))
    if stage.output:
        named = dict(model.named_parameters())
        _switch_on(named[name] for name in head_parameters(model))


def _restricted(rule: UpdateRule, stage: Stage) -> bool:
    return rule.output == "head" if stage.final else rule.internal == "active"


def _switch_on(parameters: Iterable[nn.Parameter]) -> None:
    for parameter in parameters:
        parameter.requires_grad_(True)
