"""Classifiers from `save_pretrained` folders, in fp32."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import torch
from torch import nn

from internal_kd.models.bert import (
    Classifier,
    ClassifierConfig,
    is_plain_bert,
    load_bert,
    new_bert,
    read_bert_config,
)
from internal_kd.models.weights import translate_weight_errors


def new_classifier(
    folder: str | Path, labels: Sequence[str], seed: int, device: torch.device
) -> Classifier:
    """The encoder of `folder` with a new classification head for `labels`, drawn from `seed`.

    Raises:
        UserError: the encoder's weights are damaged or not complete.
    """
    torch.manual_seed(seed)
    with translate_weight_errors(folder):
        if is_plain_bert(folder):
            return new_bert(folder, labels).to(device)
    from internal_kd.models.pretrained import new_pretrained_classifier

    return on_device(new_pretrained_classifier(folder, labels), device)


def load_classifier(folder: str | Path) -> Classifier:
    """A fine-tuned classifier from its folder, in evaluation mode.

    Raises:
        OSError, ValueError: as Transformers does if the folder holds no model that it supports.
        UserError: its weights are damaged or not complete.
    """
    with translate_weight_errors(folder):
        if is_plain_bert(folder, with_head=True):
            return load_bert(folder).eval()
    from internal_kd.models.pretrained import load_pretrained_classifier

    return load_pretrained_classifier(folder).eval()


def classifier_config(folder: str | Path) -> ClassifierConfig:
    """The config of a fine-tuned classifier, without its weights.

    Raises:
        OSError, ValueError: as Transformers does if the folder holds no model that it supports.
    """
    if is_plain_bert(folder, with_head=True):
        return read_bert_config(folder)
    from internal_kd.models.pretrained import read_pretrained_config

    return read_pretrained_config(folder)


def save_encoder(model: Classifier, start: str | Path, out: str | Path) -> None:
    """Write the encoder of a classifier that was made from the one in the folder `start`.

    What the classifier does not have, such as the pooler of some families, is as it was there.
    """
    from internal_kd.models.pretrained import load_encoder

    encoder = load_encoder(start)
    encoder.load_state_dict(encoder.state_dict() | model.base_model.state_dict())
    encoder.save_pretrained(out)


def on_device(model: Classifier, device: torch.device) -> Classifier:
    """The same model with its parameters on `device`."""
    return cast(Classifier, cast(nn.Module, model).to(device))


def label_names(config: ClassifierConfig) -> tuple[str, ...]:
    """Names of the classes in the order of the logits."""
    names = {int(number): str(name) for number, name in (config.id2label or {}).items()}
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
