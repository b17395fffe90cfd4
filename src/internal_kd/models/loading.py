"""Encoders and classifiers from `save_pretrained` folders, in fp32, with recordable attention."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import torch
from torch import nn
from transformers import AutoModel, AutoModelForSequenceClassification, PreTrainedModel
from transformers.utils import logging as transformers_logging

from internal_kd.models.attention import use_recordable_attention
from internal_kd.models.top_layer import compute_only_cls_in_top_layer
from internal_kd.models.weights import read_model

transformers_logging.set_verbosity_error()
transformers_logging.disable_progress_bar()


def load_encoder(folder: str | Path, revision: str | None = None) -> PreTrainedModel:
    """The encoder without a task head, from a folder or the name of a model on the hub.

    Raises:
        OSError, ValueError: as Transformers does if the folder holds no model that it knows.
        UserError: its weights are damaged or not complete.
    """
    return read_model(AutoModel, folder, new_head=True, revision=revision or "main")


def new_classifier(
    folder: str | Path, labels: Sequence[str], seed: int, device: torch.device
) -> PreTrainedModel:
    """The encoder of `folder` with a new classification head for `labels`, drawn from `seed`.

    Raises:
        UserError: the encoder's weights are damaged or not complete.
    """
    torch.manual_seed(seed)
    model = read_model(
        AutoModelForSequenceClassification,
        folder,
        new_head=True,
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )
    return _to(_prepared(model), device)


def load_classifier(folder: str | Path) -> PreTrainedModel:
    """A fine-tuned classifier from its folder, in evaluation mode.

    Raises:
        UserError: its weights are damaged or not complete.
    """
    model = read_model(AutoModelForSequenceClassification, folder, new_head=False)
    return _prepared(model).eval()


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
