"""Student initialisation: which layers of the general pre-trained model a student starts from."""

from collections.abc import Sequence

import torch
from transformers import AutoModel, PreTrainedModel

from internal_kd.errors import UserError
from internal_kd.models.layers import keep_encoder_layers, matched_teacher_layers

Initialization = str | Sequence[int]


def source_layers(init: Initialization, base_layers: int, student_layers: int) -> tuple[int, ...]:
    """One-based layers of the base model that the student's layers are copied from.

    `upper` takes the upper layer of each group (the paper), `lower` the bottom layers of the base,
    a list names them. `random` copies nothing and gives an empty tuple.

    Raises:
        UserError: if the name is unknown or the list does not fit the two models.
    """
    if init == "random":
        return ()
    if init == "upper":
        return matched_teacher_layers(base_layers, student_layers)
    if init == "lower":
        return tuple(range(1, student_layers + 1))
    if isinstance(init, str):
        raise UserError(
            f"init: {init!r} is unknown; write upper, lower, random or a list of layers"
        )
    if len(init) != student_layers or not all(1 <= layer <= base_layers for layer in init):
        raise UserError(
            f"init: {list(init)} must name {student_layers} layers between 1 and {base_layers}"
        )
    return tuple(init)


def initialize_student(
    base: PreTrainedModel, init: Initialization, student_layers: int, seed: int
) -> PreTrainedModel:
    """Cut `base` down to a student encoder; embeddings and pooler stay those of the general model.

    Footnote 5 of the paper: the parameters are not those of the fine-tuned teacher. With `random`
    every parameter is drawn from `seed`.

    Raises:
        UserError: if `init` does not fit.
    """
    chosen = source_layers(init, base.config.num_hidden_layers, student_layers)
    if not chosen:
        return _random_student(base, student_layers, seed)
    keep_encoder_layers(base, chosen)
    return base


def _random_student(base: PreTrainedModel, student_layers: int, seed: int) -> PreTrainedModel:
    keep_encoder_layers(base, range(1, student_layers + 1))
    torch.manual_seed(seed)
    return AutoModel.from_config(base.config)
