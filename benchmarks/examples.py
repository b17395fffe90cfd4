"""Training examples of given lengths, of random tokens, in the project's form."""

import numpy as np

from benchmarks.lengths import Lengths
from internal_kd.data.encoding import EncodedSplit, offsets_of

PAD, CLS, SEP, FIRST_WORD = 0, 101, 102, 1000


def random_split(lengths: Lengths, vocabulary: int, seed: int = 0) -> EncodedSplit:
    """Examples of `lengths` [examples]: [CLS], random words, [SEP]; the second half is type 1."""
    rng = np.random.default_rng(seed)
    offsets = offsets_of(lengths)
    ids = rng.integers(FIRST_WORD, vocabulary, offsets[-1], dtype=np.int32)
    ids[offsets[:-1]], ids[offsets[1:] - 1] = CLS, SEP
    place = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
    return EncodedSplit(
        input_ids=ids,
        token_type_ids=(2 * place >= np.repeat(lengths, lengths)).astype(np.uint8),
        offsets=offsets,
        labels=rng.integers(0, 2, len(lengths)),
        indices=np.arange(len(lengths)),
    )
