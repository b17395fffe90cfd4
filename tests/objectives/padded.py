"""Sentences of several lengths, and batches of them with padding that must not matter."""

from collections.abc import Sequence

import torch
from torch import Tensor

LENGTHS = (5, 9, 1, 7)
TOKENS = 12
NOISE = 50.0  # standard deviation of what stands at padding


def sentences(seed: int, *shape: int) -> list[Tensor]:
    """Random values of sentences; 0 in the shape stands for the sentence's length."""
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(*(length if size == 0 else size for size in shape), generator=generator)
        for length in LENGTHS
    ]


def pad(values: Sequence[Tensor], tokens: int = TOKENS, noise: float = NOISE) -> Tensor:
    """A batch; axes that are as long as the sentence get noise up to this number of tokens."""
    padded = []
    for own in values:
        wide = (
            torch.randn(
                *(
                    tokens if size == own.shape[axis] and is_ragged(values, axis) else size
                    for axis, size in enumerate(own.shape)
                )
            )
            * noise
        )
        wide[tuple(slice(size) for size in own.shape)] = own
        padded.append(wide)
    return torch.stack(padded)


def is_ragged(values: Sequence[Tensor], axis: int) -> bool:
    """Whether an axis differs between sentences."""
    return len({own.shape[axis] for own in values}) > 1


def mask(tokens: int = TOKENS) -> Tensor:
    """1 at real tokens."""
    return (torch.arange(tokens) < torch.tensor(LENGTHS)[:, None]).long()
