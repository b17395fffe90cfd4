"""Attention scores before dropout, for every model on Transformers' attention interface.

`outputs.attentions` is taken after dropout in training mode: its rows no longer sum to one and the
divergence of Equation 2 between identical models is whole nats. The function registered here
computes attention as the eager implementation does and hands the scores of queries and keys to the
recorder that is active.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS

ATTENTION = "internal_kd"

_recorder: ContextVar[list[Tensor] | None] = ContextVar("attention_scores", default=None)


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
    """Scaled dot-product attention that hands its scores to the active recorder.

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
    record(scores)
    probabilities = nn.functional.softmax(scores, dim=-1)
    dropped = nn.functional.dropout(probabilities, p=dropout, training=module.training)
    return (dropped @ value).transpose(1, 2).contiguous(), None


def recording() -> bool:
    """Whether scores are being collected."""
    return _recorder.get() is not None


def record(scores: Tensor) -> None:
    """Hand the scores of a layer, `[batch, heads, tokens, tokens]`, to the active recorder."""
    recorder = _recorder.get()
    if recorder is not None:
        recorder.append(scores)


@contextmanager
def record_scores() -> Iterator[list[Tensor]]:
    """Collect the attention scores of every layer run inside the context, bottom layer first.

    Each element has shape `[batch, heads, tokens, tokens]`; columns of padding hold the lowest
    finite number.
    """
    scores: list[Tensor] = []
    token = _recorder.set(scores)
    try:
        yield scores
    finally:
        _recorder.reset(token)


def use_recordable_attention(model: PreTrainedModel) -> None:
    """Let `model` compute attention with `attention_forward`."""
    model.set_attn_implementation(ATTENTION)


AttentionInterface.register(ATTENTION, attention_forward)
AttentionMaskInterface.register(ATTENTION, ALL_MASK_ATTENTION_FUNCTIONS["eager"])
