"""Encoders and classifiers from `save_pretrained` folders, in fp32, with recordable attention."""

import pickle
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, cast
from zipfile import BadZipFile

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import AutoModel, AutoModelForSequenceClassification, PreTrainedModel
from transformers.utils import logging as transformers_logging

from internal_kd.errors import UserError, reason
from internal_kd.models.attention import use_recordable_attention
from internal_kd.models.layers import head_parameters
from internal_kd.models.top_layer import compute_only_cls_in_top_layer

transformers_logging.set_verbosity_error()
transformers_logging.disable_progress_bar()

DAMAGED = (SafetensorError, RuntimeError, pickle.UnpicklingError, BadZipFile, EOFError)


def load_encoder(folder: str | Path, revision: str | None = None) -> PreTrainedModel:
    """The encoder without a task head, from a folder or the name of a model on the hub.

    Raises:
        OSError, ValueError: as Transformers does if the folder holds no model that it knows.
        UserError: its weights are damaged, or embeddings or layers are missing among them.
    """
    model, missing = _load(AutoModel, folder, revision=revision or "main")
    _check_complete(folder, missing - set(head_parameters(model)))
    return model


def new_classifier(
    folder: str | Path, labels: Sequence[str], seed: int, device: torch.device
) -> PreTrainedModel:
    """The encoder of `folder` with a new classification head for `labels`, drawn from `seed`.

    Raises:
        UserError: its weights are damaged, or embeddings or layers are missing among them.
    """
    torch.manual_seed(seed)
    model, missing = _load(
        AutoModelForSequenceClassification,
        folder,
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )
    _check_complete(folder, missing - set(head_parameters(model)))
    return _to(_prepared(model), device)


def load_classifier(folder: str | Path) -> PreTrainedModel:
    """A fine-tuned classifier from its folder, in evaluation mode.

    Raises:
        UserError: its weights are damaged or not complete.
    """
    model, missing = _load(AutoModelForSequenceClassification, folder)
    _check_complete(folder, missing)
    return _prepared(model).eval()


def _load(auto: Any, folder: str | Path, **options: Any) -> tuple[PreTrainedModel, set[str]]:
    """The model in fp32, and the names of its parameters that the folder has no weights for."""
    try:
        model, found = auto.from_pretrained(
            str(folder),
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            **options,
        )
    except DAMAGED as error:
        raise UserError(
            f"{folder}: its weights are damaged ({reason(error)}); copy or download them again"
        ) from error
    for name, stored, expected in found["mismatched_keys"]:
        raise UserError(
            f"{folder}: its weights do not fit its config.json, {name} is {list(stored)} and not "
            f"{list(expected)}; copy or download both again"
        )
    return model, set(found["missing_keys"])


def _check_complete(folder: str | Path, missing: Collection[str]) -> None:
    """Transformers would fill up with random numbers, and say so in a warning only."""
    if missing:
        raise UserError(
            f"{folder}: {len(missing)} parameters of its config.json have no weights, such as "
            f"{min(missing)}; copy or download both again"
        )


def _prepared(model: PreTrainedModel) -> PreTrainedModel:
    use_recordable_attention(model)
    compute_only_cls_in_top_layer(model)
    return model


def _to(model: nn.Module, device: torch.device) -> PreTrainedModel:
    return cast(PreTrainedModel, model.to(device))


def label_names(model: PreTrainedModel) -> tuple[str, ...]:
    """Names of the classes in the order of the logits."""
    names = {int(number): str(name) for number, name in (model.config.id2label or {}).items()}
    return tuple(names[number] for number in sorted(names))


TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
)


def copy_tokenizer(source: str | Path, target: str | Path) -> None:
    """Put the tokenizer's files beside a model, which makes its folder complete."""
    for name in TOKENIZER_FILES:
        if (Path(source) / name).is_file():
            shutil.copyfile(Path(source) / name, Path(target) / name)
