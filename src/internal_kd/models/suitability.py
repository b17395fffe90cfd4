"""Whether a pre-trained model can be the base of a study."""

import torch
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from internal_kd.errors import UserError
from internal_kd.models.attention import Recorder, record_attention, use_recordable_attention
from internal_kd.models.features import CaptureRequest
from internal_kd.models.layers import embedding_parameters, encoder_layers

REMEDY = "use an encoder such as BERT, RoBERTa, ELECTRA or DistilBERT"
PROBE_TOKENS = 4


def check_encoder(model: PreTrainedModel) -> None:
    """Refuse what is no text encoder whose layers, embeddings and attention can be reached.

    The model gets the attention that records its scores.

    Raises:
        UserError: naming what is in the way.
    """
    name = type(model).__name__
    encoder_layers(model)
    embedding_parameters(model)
    if type(model.config) not in AutoModelForSequenceClassification._model_mapping:
        raise UserError(f"base_model: {name} has no classifier in Transformers; {REMEDY}")
    _check_finite(model)
    recorder, states = _probe(model)
    if recorder.layer != model.config.num_hidden_layers:
        raise UserError(
            f"base_model: {name} does not use Transformers' attention interface, so its "
            f"attention cannot be read; {REMEDY}"
        )
    if any(before is not after for before, after in zip(states[1::2], states[2::2], strict=False)):
        raise UserError(
            f"base_model: {name}, as configured in its config.json, computes something between "
            f"its layers, so none can be left out; {REMEDY}"
        )
    scores = recorder.features["scores", 1]
    if float(scores[0, 0, 0, -1]) <= torch.finfo(scores.dtype).min / 2:
        switch = getattr(model.config, "is_decoder", False)
        raise UserError(
            f"base_model: {name} uses causal attention, so it is a decoder; "
            f"{'write is_decoder: false in its config.json, or ' if switch else ''}{REMEDY}"
        )


def _check_finite(model: PreTrainedModel) -> None:
    for name, parameter in model.named_parameters():
        if not bool(torch.isfinite(parameter).all()):
            raise UserError(
                f"base_model: its weights {name} contain NaN or infinite values; "
                "copy or download them again"
            )


def _probe(model: PreTrainedModel) -> tuple[Recorder, list[Tensor]]:
    """What a pass over a few tokens gives.

    Returns:
        The number of layers that attended, with the first one's scores; and the states before and
        after each layer, bottom layer first.
    """
    use_recordable_attention(model)
    tokens = torch.zeros((1, PROBE_TOKENS), dtype=torch.long)
    request, states = CaptureRequest.of(["scores"], [1]), []

    def keep(_layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor | tuple[Tensor]) -> None:
        states.extend([inputs[0], output[0] if isinstance(output, tuple) else output])

    hooks = [layer.register_forward_hook(keep) for layer in encoder_layers(model)]
    with torch.no_grad(), record_attention(model, request) as recorder:
        model(input_ids=tokens, attention_mask=torch.ones_like(tokens))
    for hook in hooks:
        hook.remove()
    return recorder, states
