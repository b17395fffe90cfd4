"""Student initialisation: which layers of the general pre-trained model a student starts from."""

from typing import cast

import torch
from transformers import AutoModel, PreTrainedModel

from internal_kd.errors import UserError
from internal_kd.models.layer_maps import INIT_NAMES, InitName, Layers, copied_layers
from internal_kd.models.layers import keep_encoder_layers

Initialization = str | tuple[int, ...]


def source_layers(init: Initialization, base_layers: int, student_layers: int) -> tuple[int, ...]:
    """One-based layers of the base model that the student's layers are copied from.

    See `layer_maps.copied_layers`; `random` copies nothing and gives an empty tuple.

    Raises:
        UserError: if the name is unknown or the list does not fit the two models.
    """
    if init == "random":
        return ()
    if isinstance(init, str) and init not in INIT_NAMES:
        known = ", ".join(INIT_NAMES)
        raise UserError(f"init: {init!r} is unknown; write {known}, random or a list of layers")
    return copied_layers(cast(InitName | Layers, init), base_layers, student_layers)


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
