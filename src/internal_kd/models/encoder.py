"""One pass through a classifier that yields what the losses need."""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor
from transformers import PreTrainedModel

from internal_kd.models.attention import record_scores


class Tokens(Protocol):
    """A padded batch; every tensor has shape `[batch, tokens]`."""

    @property
    def input_ids(self) -> Tensor:
        """Token numbers."""
        ...

    @property
    def token_type_ids(self) -> Tensor:
        """0 for the first text, 1 for the second."""
        ...

    @property
    def attention_mask(self) -> Tensor:
        """1 at real tokens, 0 at padding."""
        ...


@dataclass(frozen=True)
class Representations:
    """What a classifier computed for one batch.

    Attributes:
        logits: `[batch, classes]`.
        cls: for each layer the hidden state of the first token, `[batch, hidden size]`.
        scores: for each layer the attention scores before softmax and dropout, `[batch, heads,
            tokens, tokens]`.
    """

    logits: Tensor
    cls: tuple[Tensor, ...] = ()
    scores: tuple[Tensor, ...] = ()


def inputs_of(model: PreTrainedModel, tokens: Tokens) -> dict[str, Tensor]:
    """Keyword arguments for `model`: segment numbers only where the model has such embeddings."""
    inputs = {"input_ids": tokens.input_ids, "attention_mask": tokens.attention_mask}
    if getattr(model.config, "type_vocab_size", 0) > 1:
        inputs["token_type_ids"] = tokens.token_type_ids
    return inputs


def logits_of(model: PreTrainedModel, tokens: Tokens) -> Tensor:
    """Logits `[batch, classes]` alone."""
    return model(**inputs_of(model, tokens)).logits


def represent(model: PreTrainedModel, tokens: Tokens) -> Representations:
    """Logits, [CLS] vectors and attention scores of every layer."""
    with record_scores() as scores:
        outputs = model(**inputs_of(model, tokens), output_hidden_states=True)
    cls = tuple(states[:, 0] for states in outputs.hidden_states[1:])
    return Representations(outputs.logits, cls, tuple(scores))
