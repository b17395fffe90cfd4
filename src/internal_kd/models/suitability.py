"""Whether a pre-trained model can be the base of a study."""

import torch
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
    recorder = _probe(model)
    if recorder.layer != model.config.num_hidden_layers:
        raise UserError(
            f"base_model: {name} does not use Transformers' attention interface, so its "
            f"attention cannot be read; {REMEDY}"
        )
    scores = recorder.features["scores", 1]
    if float(scores[0, 0, 0, -1]) <= torch.finfo(scores.dtype).min / 2:
        raise UserError(
            f"base_model: {name} uses causal attention, so it is a decoder; "
            f"write is_decoder: false in its config.json, or {REMEDY}"
        )


def _check_finite(model: PreTrainedModel) -> None:
    for name, parameter in model.named_parameters():
        if not bool(torch.isfinite(parameter).all()):
            raise UserError(
                f"base_model: its weights {name} contain NaN or infinite values; "
                "copy or download them again"
            )


def _probe(model: PreTrainedModel) -> Recorder:
    """What is recorded of a pass over a few tokens: layers, and the first one's scores."""
    use_recordable_attention(model)
    tokens = torch.zeros((1, PROBE_TOKENS), dtype=torch.long)
    with torch.no_grad(), record_attention(CaptureRequest.of(["scores"], [1])) as recorder:
        model(input_ids=tokens, attention_mask=torch.ones_like(tokens))
    return recorder
