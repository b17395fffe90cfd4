"""Start values of the small BERT, and ways to make it deeper without losing what it has learnt."""

from copy import deepcopy

import torch
from torch import nn
from transformers import BertForPreTraining
from transformers.models.bert.modeling_bert import BertLayer


def start_mimetic(model: BertForPreTraining, common: float, own: float) -> None:
    """Draw W_Q and W_K of each layer as one common matrix plus a little noise of each.

    Tokens then attend to tokens like themselves from the start, which is what comparing two texts
    needs. `common` and `own` are standard deviations.
    """
    with torch.no_grad():
        for layer in layers_of(model):
            query, key = layer.attention.self.query.weight, layer.attention.self.key.weight
            shared = torch.randn_like(query) * common
            query.copy_(shared + torch.randn_like(query) * own)
            key.copy_(shared + torch.randn_like(key) * own)


def start_sinusoidal(model: BertForPreTraining, deviation: float) -> None:
    """Start the position embeddings as sines and cosines of geometric wave lengths.

    Neighbours then have similar embeddings, so that attention can find them from the start;
    `deviation` is the root mean square.
    """
    table = model.bert.embeddings.position_embeddings.weight
    length, width = table.shape
    rates = 100.0 ** (-torch.arange(0, width, 2) / width)
    angles = torch.arange(length)[:, None] * rates
    waves = torch.stack([angles.sin(), angles.cos()], dim=2).reshape(length, width)
    with torch.no_grad():
        table.copy_(waves * deviation * 2**0.5)


def layers_of(model: BertForPreTraining) -> list[BertLayer]:
    """The encoder layers from the first to the last."""
    return [layer for layer in model.bert.encoder.layer if isinstance(layer, BertLayer)]


def stack(model: BertForPreTraining) -> None:
    """Double the depth by a copy of the whole stack on top of it."""
    layers = layers_of(model)
    set_layers(model, [*layers, *(deepcopy(layer) for layer in layers)])


def interleave(model: BertForPreTraining, scale: float) -> None:
    """Double the depth by a nearly ineffective copy below each layer.

    Both output projections of a copy are multiplied by `scale`, and its layer normalisations
    start as (1, 0): at `scale` 0 the copy only normalises again what is normalised already.
    Every second layer, from the second on, is then a layer of the model as it was.
    """
    layers = [new for layer in layers_of(model) for new in (_faint_copy(layer, scale), layer)]
    set_layers(model, layers)


def set_layers(model: BertForPreTraining, layers: list[BertLayer]) -> None:
    """Give the model these layers and note their number in its config."""
    model.bert.encoder.layer = nn.ModuleList(layers)
    model.config.num_hidden_layers = len(layers)


def _faint_copy(layer: BertLayer, scale: float) -> BertLayer:
    copy = deepcopy(layer)
    with torch.no_grad():
        for output in (copy.attention.output, copy.output):
            output.dense.weight.mul_(scale)
            output.dense.bias.mul_(scale)
            output.LayerNorm.weight.fill_(1.0)
            output.LayerNorm.bias.zero_()
    return copy
