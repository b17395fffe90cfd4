"""Splits of random tokens in which the label can be read off the tokens."""

import numpy as np

from internal_kd.data.encoding import EncodedSplit, offsets_of
from tests.models.tiny import VOCABULARY


def tiny_split(examples: int, seed: int = 0) -> EncodedSplit:
    """Examples of 4 to 10 tokens; the second token is one of two and determines the label."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(4, 11, examples)
    ids = rng.integers(5, VOCABULARY, lengths.sum()).astype(np.int32)
    offsets = offsets_of(lengths)
    labels = rng.integers(0, 2, examples)
    ids[offsets[:-1]] = 2
    ids[offsets[:-1] + 1] = np.where(labels == 1, VOCABULARY - 1, VOCABULARY - 2)
    return EncodedSplit(
        input_ids=ids,
        token_type_ids=np.zeros(len(ids), np.uint8),
        offsets=offsets,
        labels=labels,
        indices=np.arange(examples),
    )
