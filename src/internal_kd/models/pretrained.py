"""Encoders of any family through Transformers, with recordable attention."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.utils import logging as transformers_logging

from internal_kd.models.attention import (
    compute_only_cls_in_top_layer,
    record_attention,
    use_recordable_attention,
)
from internal_kd.models.features import Capture, CaptureRequest, Tokens
from internal_kd.models.layers import encoder_layers, first_layers
from internal_kd.models.limits import limits_of
from internal_kd.models.weights import read_model
from internal_kd.streams import new_layers_seed

transformers_logging.set_verbosity_error()
transformers_logging.disable_progress_bar()


def load_encoder(
    folder: str | Path, revision: str | None = None, config: PreTrainedConfig | None = None
) -> PreTrainedModel:
    """The encoder without a task head, from a folder or the name of a model on the hub.

    A pooler that is missing, as in checkpoints of masked language models, is drawn from a stream of
    its own.

    Args:
        folder: or a name.
        revision: on the hub.
        config: instead of the one beside the weights.

    Raises:
        OSError, ValueError: as Transformers does if the folder holds no model that it supports.
        UserError: its weights are damaged or not complete, or the model does not use some.
    """
    options = {} if config is None else {"config": config}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(new_layers_seed())
        return read_model(AutoModel, folder, new_head=True, revision=revision or "main", **options)


def new_pretrained_classifier(folder: str | Path, labels: Sequence[str]) -> PreTrainedModel:
    """The encoder in `folder` with a new head, drawn from torch's generator."""
    model = read_model(
        AutoModelForSequenceClassification,
        folder,
        new_head=True,
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )
    return _prepared(model)


def load_pretrained_classifier(folder: str | Path) -> PreTrainedModel:
    """The classifier in `folder`."""
    return _prepared(read_model(AutoModelForSequenceClassification, folder, new_head=False))


def read_pretrained_config(folder: str | Path) -> PreTrainedConfig:
    """The config of the classifier in `folder`."""
    config: PreTrainedConfig = AutoConfig.from_pretrained(str(folder), trust_remote_code=False)
    return config


def _prepared(model: PreTrainedModel) -> PreTrainedModel:
    use_recordable_attention(model)
    compute_only_cls_in_top_layer(model)
    return model


def inputs_of(model: PreTrainedModel, tokens: Tokens) -> dict[str, Tensor]:
    """Keyword arguments for `model`: segment numbers only where the model has such embeddings.

    Positions that do not start at 0 are counted here: such models take every token with the number
    of their config's padding token for padding, which a tokenizer may give to another token.
    """
    limits, mask = limits_of(model), tokens.attention_mask
    inputs = {"input_ids": tokens.input_ids, "attention_mask": mask}
    if limits.segments > 1:
        inputs["token_type_ids"] = tokens.token_type_ids
    if limits.first_position > 0:
        inputs["position_ids"] = mask.long().cumsum(dim=1) * mask + limits.first_position - 1
    return inputs


def capture_pretrained(model: PreTrainedModel, tokens: Tokens, request: CaptureRequest) -> Capture:
    """See `capture.capture`."""
    depth = request.depth
    with (
        record_attention(model, request) as attention,
        _record_states(model, request) as states,
        first_layers(model, depth),
    ):
        outputs = (model if depth is None else model.base_model)(**inputs_of(model, tokens))
    return Capture(outputs.logits if request.logits else None, states | attention.features)


@contextmanager
def _record_states(
    model: PreTrainedModel, request: CaptureRequest
) -> Iterator[dict[tuple[str, int], Tensor]]:
    """Collect `hidden` and `cls` of the layers that a request names.

    Transformers' own collector is limited to the layers that its first call found.
    """
    found: dict[tuple[str, int], Tensor] = {}

    def keep(
        number: int, _layer: nn.Module, _inputs: object, output: Tensor | tuple[Tensor, ...]
    ) -> None:
        states = output[0] if isinstance(output, tuple) else output
        if request.has("hidden", number):
            found["hidden", number] = states
        if request.has("cls", number):
            found["cls", number] = states[:, 0]

    hooks = [
        layer.register_forward_hook(partial(keep, number))
        for number, layer in enumerate(encoder_layers(model), start=1)
    ]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()
