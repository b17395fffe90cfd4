"""Tiny random models of several families, and batches for them."""

import numpy as np
import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    ElectraConfig,
    ElectraForSequenceClassification,
    PreTrainedModel,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from internal_kd.data.batches import Batch
from internal_kd.models.attention import use_recordable_attention

VOCABULARY = 60
SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 16,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "initializer_range": 0.3,
}


def tiny_model(
    family: str = "bert", layers: int = 4, seed: int = 0, **changes: int
) -> PreTrainedModel:
    """A random classifier with two labels; large weights make attention far from uniform.

    Other sizes than `SIZES` are for all families but DistilBERT.
    """
    torch.manual_seed(seed)
    sizes = {**SIZES, "num_hidden_layers": layers, **changes}
    if family == "bert":
        model = BertForSequenceClassification(BertConfig(**sizes))
    elif family == "roberta":
        model = RobertaForSequenceClassification(RobertaConfig(**sizes, type_vocab_size=1))
    elif family == "electra":
        model = ElectraForSequenceClassification(ElectraConfig(**sizes, embedding_size=8))
    else:
        config = DistilBertConfig(
            vocab_size=VOCABULARY,
            dim=16,
            n_heads=2,
            hidden_dim=32,
            n_layers=layers,
            initializer_range=0.3,
        )
        model = DistilBertForSequenceClassification(config)
    use_recordable_attention(model)
    return model


def tiny_batch(lengths: tuple[int, ...] = (6, 9, 3), pad: int = 0, seed: int = 0) -> Batch:
    """Random tokens, padded to the longest plus `pad`."""
    generator = torch.Generator().manual_seed(seed)
    tokens = max(lengths) + pad
    mask = torch.tensor([[int(k < n) for k in range(tokens)] for n in lengths])
    ids = torch.randint(5, VOCABULARY, (len(lengths), 64), generator=generator)[:, :tokens]
    return Batch(
        input_ids=torch.where(mask.bool(), ids, 1),
        token_type_ids=torch.zeros_like(ids),
        attention_mask=mask,
        labels=torch.arange(len(lengths)) % 2,
        rows=np.arange(len(lengths)),
        index=torch.arange(len(lengths)),
    )
