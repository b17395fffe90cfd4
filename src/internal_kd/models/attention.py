"""Attention scores before dropout, for every model on Transformers' attention interface.

`outputs.attentions` is taken after dropout in training mode: its rows no longer sum to one and the
divergence of Equation 2 between identical models is whole nats. The function registered here
computes attention as the eager implementation does and hands its parts to the recorder that is
active.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS

from internal_kd.models.features import CaptureRequest, Feature

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
        query: `[batch, heads, tokens, head size]`, as are `key` and `value`.
        attention_mask: additive, broadcastable to `[batch, heads, tokens, tokens]`, or None.
        scaling: factor of the dot product; head size to the power -1/2 if None.
        dropout: probability with which an attention probability is dropped.

    Returns:
        The attended values `[batch, tokens, heads, head size]`, and None for the probabilities.
    """
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


@contextmanager
def record_attention(request: CaptureRequest) -> Iterator[Recorder]:
    """Collect the parts of attention that a request names of the layers run inside the context."""
    recorder = Recorder(request)
    token = _recorder.set(recorder)
    try:
        yield recorder
    finally:
        _recorder.reset(token)


def use_recordable_attention(model: PreTrainedModel) -> None:
    """Let `model` compute attention with `attention_forward`."""
    model.set_attn_implementation(ATTENTION)


AttentionInterface.register(ATTENTION, attention_forward)
AttentionMaskInterface.register(ATTENTION, ALL_MASK_ATTENTION_FUNCTIONS["eager"])
