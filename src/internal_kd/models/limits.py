"""What a model has embeddings for, read from the model itself.

Torch is imported where it is needed, since tokenising for a BERT needs none of it.
"""

import json
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from internal_kd.errors import UserError
from internal_kd.models.positions import Limits, positions_in

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel

POSITIONS = "position_embeddings"  # what encoders call the table of their positions

_known: "WeakKeyDictionary[nn.Module, Limits]" = WeakKeyDictionary()


def limits_of(model: "PreTrainedModel") -> Limits:
    """The limits of a model, loaded or made without weights; computed once for each."""
    if model not in _known:
        _known[model] = _look_up(model)
    return _known[model]


def _look_up(model: "PreTrainedModel") -> Limits:
    table = _table_of_positions(model)
    first = 0 if table is None or table.padding_idx is None else table.padding_idx + 1
    if table is None:
        rows = getattr(model.config, "max_position_embeddings", None)
    else:
        rows = table.num_embeddings
    return Limits(None if rows is None else rows - first, _segments(model), first)


def _segments(model: "PreTrainedModel") -> int:
    """How many segments a model distinguishes; 0 if it takes none."""
    if "token_type_ids" not in signature(model.forward).parameters:
        return 0
    return getattr(model.config, "type_vocab_size", 0) or 0


def _table_of_positions(model: "nn.Module") -> "nn.Embedding | None":
    from torch import nn

    for name, module in model.named_modules():
        if name.rpartition(".")[2] == POSITIONS and isinstance(module, nn.Embedding):
            return module
    return None


def limits_in(folder: str | Path) -> Limits:
    """The limits of the encoder in a folder; for BERT without the seconds that its classes take.

    Raises:
        OSError, ValueError: as Transformers does if the folder holds no model that it supports.
    """
    config = json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))
    if config.get("model_type") == "bert":
        return Limits(positions_in(config), config.get("type_vocab_size", 2))
    return _limits_without_weights(folder)


def check_length(key: str, limits: Limits, max_length: int) -> None:
    """Refuse texts that are longer than what the base model has positions for.

    Raises:
        UserError: naming the key of the config.
    """
    if limits.positions is not None and limits.positions < max_length:
        raise UserError(
            f"{key}: is {max_length}, but the base model has {limits.positions} positions; "
            f"write at most {limits.positions}"
        )


def _limits_without_weights(folder: str | Path) -> Limits:
    import torch
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.from_pretrained(str(folder), trust_remote_code=False)
    with torch.device("meta"):
        return limits_of(AutoModel.from_config(config, trust_remote_code=False))
