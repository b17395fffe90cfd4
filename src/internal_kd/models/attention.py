"""Attention scores before dropout, for every model on Transformers' attention interface.

`outputs.attentions` is taken after dropout in training mode: its rows no longer sum to one and the
divergence of Equation 2 between identical models is whole nats. The function registered here
computes attention as the eager implementation does and hands its parts to the recorder that is
active. In families that compute attention on their own, scores are taken at their softmax.

The top layer computes its output for [CLS] alone, unless the request has all its hidden states.

Logits, the [CLS] vector and the attention scores are those of the whole layer. Omitted are the
output projection and the feed-forward network of all other tokens, three quarters of its work.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from inspect import signature
from typing import Protocol, cast

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS

from internal_kd.models.families import AT_SOFTMAX
from internal_kd.models.features import CaptureRequest, Feature
from internal_kd.models.layers import encoder_layers

ATTENTION = "internal_kd"


@dataclass
class Recorder:
    """Collects what a request names of the attention of the layers, which come bottom first."""

    request: CaptureRequest
    features: dict[tuple[str, int], Tensor] = field(default_factory=dict)
    layer: int = 0

    def keep(self, parts: Mapping[Feature, Tensor]) -> None:
        """Take the parts of the next layer's attention."""
        self.layer += 1
        for name, values in parts.items():
            if self.request.has(name, self.layer):
                self.features[name, self.layer] = values


_recorder: ContextVar[Recorder | None] = ContextVar("attention", default=None)


def attention_forward(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **_: object,
) -> tuple[Tensor, None]:
    """Scaled dot-product attention that hands its parts to the active recorder.

    Args:
        module: the attention module; only its training flag is read.
        query: `[batch, heads, tokens, head size]`, as are `key` and `value`, but for their heads
            where several queries share one.
        attention_mask: additive, broadcastable to `[batch, heads, tokens, tokens]`, or None.
        scaling: factor of the dot product; head size to the power -1/2 if None.
        dropout: probability with which an attention probability is dropped.

    Returns:
        The attended values `[batch, tokens, heads, head size]`, and None for the probabilities.
    """
    if key.size(1) != query.size(1):
        shared = query.size(1) // key.size(1)
        key, value = (each.repeat_interleave(shared, dim=1) for each in (key, value))
    scores = query @ key.transpose(2, 3) * (query.size(-1) ** -0.5 if scaling is None else scaling)
    if attention_mask is not None:
        scores = scores + attention_mask
    record(scores, query, key, value)
    probabilities = nn.functional.softmax(scores, dim=-1)
    dropped = nn.functional.dropout(probabilities, p=dropout, training=module.training)
    return (dropped @ value).transpose(1, 2).contiguous(), None


def active_recorder() -> Recorder | None:
    """The recorder of the pass that is being made; None where nothing is recorded."""
    return _recorder.get()


def record(scores: Tensor, query: Tensor, key: Tensor, value: Tensor) -> None:
    """Hand the parts of a layer's attention to the active recorder.

    Args:
        scores: `[batch, heads, tokens, tokens]`, the lowest finite number in columns of padding.
        query: `[batch, heads, tokens, head size]`, as are `key` and `value`.
    """
    recorder = _recorder.get()
    if recorder is not None:
        recorder.keep({"scores": scores, "query": query, "key": key, "value": value})


class _RecordSoftmax(TorchFunctionMode):
    """Hands the scores of each softmax over all pairs of tokens to a recorder."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def __torch_function__(  # type: ignore[explicit-any]
        self,
        func: Callable[..., object],
        types: Sequence[type],
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        scores = args[0] if args else None
        if func is nn.functional.softmax and isinstance(scores, Tensor) and scores.dim() == 4:
            self.recorder.keep({"scores": scores})
        return func(*args, **(kwargs or {}))


@contextmanager
def record_attention(model: PreTrainedModel, request: CaptureRequest) -> Iterator[Recorder]:
    """Collect the parts of attention that a request names of the layers run inside the context."""
    recorder = Recorder(request)
    token = _recorder.set(recorder)
    try:
        with _RecordSoftmax(recorder) if _is_read_at_softmax(model, request) else nullcontext():
            yield recorder
    finally:
        _recorder.reset(token)


def _is_read_at_softmax(model: PreTrainedModel, request: CaptureRequest) -> bool:
    """Families can join the interface in a later version of Transformers."""
    apart = model.config.model_type in AT_SOFTMAX and not model._supports_attention_backend
    return apart and bool(request.features.get("scores"))


def use_recordable_attention(model: PreTrainedModel) -> None:
    """Let `model` compute attention with `attention_forward`."""
    model.set_attn_implementation(ATTENTION)


AttentionInterface.register(ATTENTION, attention_forward)
AttentionMaskInterface.register(ATTENTION, ALL_MASK_ATTENTION_FUNCTIONS["eager"])


PROBE_TOKENS = 6
RTOL, ATOL = 1e-3, 1e-4  # far above rounding, far below another computation


class SelfAttention(Protocol):
    """The attention of a BERT-like layer, without what follows on it."""

    attention_head_size: int
    scaling: float

    def query(self, states: Tensor, /) -> Tensor:
        """Queries of all heads, `[batch, tokens, hidden size]`; so are keys and values."""
        ...

    def key(self, states: Tensor, /) -> Tensor:
        """Keys."""
        ...

    def value(self, states: Tensor, /) -> Tensor:
        """Values."""
        ...

    def dropout(self, probabilities: Tensor, /) -> Tensor:
        """Drop some attention probabilities."""
        ...


class Attention(Protocol):
    """The attention of a BERT-like layer."""

    self: SelfAttention

    def output(self, context: Tensor, states: Tensor, /) -> Tensor:
        """Projection, dropout, residual connection and normalisation."""
        ...


class BertLikeLayer(Protocol):
    """A transformer layer whose parts are named as BERT's are."""

    attention: Attention

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor | None,
        *more: object,
        **named: object,
    ) -> Tensor:
        """The whole layer."""
        ...

    def feed_forward_chunk(self, attended: Tensor, /) -> Tensor:
        """The feed-forward network with all that follows on it."""
        ...


def compute_only_cls_in_top_layer(model: PreTrainedModel) -> None:
    """Let the top layer of a BERT-like classifier compute [CLS] alone; do not change others.

    The layer then returns `[batch, 1, hidden size]`. Parameters and saved files do not change.
    Families that name their parts as BERT does and compute otherwise, with normalisation first or
    rotated queries, give another [CLS] vector.
    """
    layer = encoder_layers(model)[-1]
    if _is_like_bert(layer):
        expected = _cls_of(layer, model)
        layer.forward = partial(_forward_cls, cast(BertLikeLayer, layer))
        if not torch.allclose(_cls_of(layer, model), expected, rtol=RTOL, atol=ATOL):
            del layer.forward


def _cls_of(layer: nn.Module, model: PreTrainedModel) -> Tensor:
    """What the layer makes of the first of a few tokens, the last of them padding."""
    found: list[Tensor] = []

    def keep(_layer: nn.Module, _inputs: object, output: Tensor | tuple[Tensor, ...]) -> None:
        found.append((output[0] if isinstance(output, tuple) else output)[:, 0])

    tokens = torch.arange(PROBE_TOKENS, device=model.device)[None] % model.config.vocab_size
    hook, training = layer.register_forward_hook(keep), model.training
    with torch.no_grad():
        model.eval()(input_ids=tokens, attention_mask=(tokens < PROBE_TOKENS - 1).long())
    hook.remove()
    model.train(training)
    return found[0]


def _is_like_bert(layer: nn.Module) -> bool:
    """BERT, RoBERTa and ELECTRA name the parts of a layer alike."""
    attention = getattr(getattr(layer, "attention", None), "self", None)
    parts = ("query", "key", "value", "attention_head_size", "scaling")
    given = list(signature(type(layer).forward).parameters)[1:3]
    return (
        given == ["hidden_states", "attention_mask"]
        and hasattr(layer, "feed_forward_chunk")
        and all(hasattr(attention, part) for part in parts)
        and isinstance(getattr(attention, "dropout", None), nn.Dropout)
    )


def _forward_cls(
    layer: BertLikeLayer,
    hidden_states: Tensor,
    attention_mask: Tensor | None = None,
    *more: object,
    **named: object,
) -> Tensor:
    recorder = active_recorder()
    if recorder is not None and recorder.request.has("hidden", recorder.layer + 1):
        return type(layer).forward(layer, hidden_states, attention_mask, *more, **named)
    attention = layer.attention.self
    cls = hidden_states[:, :1]
    all_rows = recorder is not None and recorder.request.all_rows
    queries = _heads(attention, attention.query(hidden_states if all_rows else cls))
    keys = _heads(attention, attention.key(hidden_states))
    values = _heads(attention, attention.value(hidden_states))
    scores = queries @ keys.transpose(2, 3) * attention.scaling
    if attention_mask is not None:
        scores = scores + attention_mask[:, :, : scores.shape[2]]
    record(scores, queries, keys, values)
    probabilities = nn.functional.softmax(scores[:, :, :1], dim=-1)
    context = (attention.dropout(probabilities) @ values).transpose(1, 2).flatten(2)
    return layer.feed_forward_chunk(layer.attention.output(context, cls))


def _heads(attention: SelfAttention, projected: Tensor) -> Tensor:
    """From `[batch, tokens, hidden size]` to `[batch, heads, tokens, head size]`."""
    return projected.unflatten(-1, (-1, attention.attention_head_size)).transpose(1, 2)
