"""Where an encoder's layers, its head and its parameters are, and which layers belong together."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy

import torch
from torch import nn

from internal_kd.errors import UserError
from internal_kd.models.bert import Classifier

RELATIVE = "rel_embeddings"  # DeBERTa's; a normalisation beside them is theirs
EMBEDDINGS = ("embed", "relative_attention_bias", RELATIVE)  # how names of modules begin


def encoder_layers(model: Classifier) -> nn.ModuleList:
    """The list of transformer layers of `model`, bottom layer first.

    Raises:
        UserError: if the model has no single stack of `num_hidden_layers` layers.
    """
    return getattr(*_place_of_layers(model))


def keep_encoder_layers(model: Classifier, chosen: Sequence[int]) -> None:
    """Keep only these of the layers of `model`, one-based, and set its config accordingly.

    Settings that the config lists layer by layer, such as ModernBERT's kinds of attention, go with
    their layers.
    """
    parent, name = _place_of_layers(model)
    layers = getattr(parent, name)
    setattr(parent, name, nn.ModuleList(deepcopy(layers[layer - 1]) for layer in chosen))
    for key, value in vars(model.config).items():
        if isinstance(value, list) and len(value) == len(layers):
            setattr(model.config, key, [value[layer - 1] for layer in chosen])
    model.config.num_hidden_layers = len(chosen)


@contextmanager
def first_layers(model: Classifier, depth: int | None) -> Iterator[None]:
    """Inside the context `model` consists of its first `depth` layers; of all if None."""
    parent, name = _place_of_layers(model)
    layers = getattr(parent, name)
    setattr(parent, name, layers if depth is None else layers[:depth])
    try:
        yield
    finally:
        setattr(parent, name, layers)


def _place_of_layers(model: Classifier) -> tuple[nn.Module, str]:
    depth = model.config.num_hidden_layers
    for parent in model.base_model.modules():
        for name, child in parent.named_children():
            if isinstance(child, nn.ModuleList) and len(child) == depth:
                return parent, name
    raise UserError(
        f"base_model: {type(model).__name__} has no stack of {depth} transformer layers; "
        "use an encoder such as BERT, RoBERTa, ELECTRA or DistilBERT"
    )


def head_parameters(model: Classifier) -> list[str]:
    """Names of the parameters above the layers: pooler and classifier, where they exist."""
    layers = {id(parameter) for parameter in encoder_layers(model).parameters()}
    embeddings = {id(parameter) for parameter in embedding_parameters(model)}
    return [
        name
        for name, parameter in model.named_parameters()
        if id(parameter) not in layers and id(parameter) not in embeddings
    ]


def embedding_parameters(model: Classifier) -> list[nn.Parameter]:
    """Everything below the first layer: words, positions, segments, normalisation, projection.

    Relative positions, which all layers share, are among them.

    Raises:
        UserError: if the model names no such module.
    """
    stack = _place_of_layers(model)[0]
    beside = [] if stack is model.base_model else list(stack.named_children())
    parameters = [
        parameter
        for name, module in [*model.base_model.named_children(), *beside]
        if name.startswith(EMBEDDINGS) or (name == "LayerNorm" and hasattr(stack, RELATIVE))
        for parameter in module.parameters()
    ]
    if not parameters:
        raise UserError(
            f"base_model: {type(model).__name__} has no embeddings that can be found; "
            "use an encoder such as BERT, RoBERTa, ELECTRA or DistilBERT"
        )
    return parameters


def count_parameters(model: Classifier) -> dict[str, int]:
    """Numbers of parameters: total, embeddings, layers, pooler and classifier.

    The classifier is the classification layer alone. The pooler is what is between it and the
    transformer layers, such as BERT's pooler or DistilBERT's `pre_classifier`.
    """
    sizes = {name: parameter.numel() for name, parameter in model.named_parameters()}
    head = head_parameters(model)
    last_layer = _module(head[-1])
    counts = {
        "embeddings": sum(parameter.numel() for parameter in embedding_parameters(model)),
        "layers": sum(parameter.numel() for parameter in encoder_layers(model).parameters()),
        "pooler": sum(sizes[name] for name in head if _module(name) != last_layer),
        "classifier": sum(sizes[name] for name in head if _module(name) == last_layer),
    }
    return {"total": sum(sizes.values()), **counts}


def _module(parameter: str) -> str:
    """Name of the module that a parameter belongs to."""
    return parameter.rpartition(".")[0]


def copy_head(teacher: nn.Module, student: Classifier) -> None:
    """Start the student's pooler and classifier from the teacher's (`head_init: teacher`).

    Raises:
        UserError: if teacher and student differ in the shape of their heads.
    """
    source = dict(teacher.named_parameters())
    target = dict(student.named_parameters())
    names = head_parameters(student)
    for name in names:
        if name not in source or source[name].shape != target[name].shape:
            raise UserError(
                f"head_init: teacher does not fit, {name} differs between teacher and student; "
                "use head_init: random"
            )
    with torch.no_grad():
        for name in names:
            target[name].copy_(source[name])
