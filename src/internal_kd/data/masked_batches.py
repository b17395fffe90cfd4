"""Batches for training on unlabelled text: tokens are masked, and batches are counted in steps."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch

from internal_kd.data.batches import Batch, LengthBucketedBatches, Rows
from internal_kd.data.corpus import CorpusMeta
from internal_kd.errors import UserError


@dataclass(frozen=True)
class TokenMasking:
    """Masks tokens as BERT does (Devlin et al. 2018, section 3.1), anew in every batch.

    Each token but the special ones is chosen with probability `share`. A chosen token becomes
    [MASK] with probability `mask`, any token but a special one with probability `random`, and stays
    as it is otherwise.

    Attributes:
        share, mask, random: these probabilities.
        seed: of the stream of random numbers.
        meta: of the corpus.
    """

    share: float
    mask: float
    random: float
    seed: int
    meta: CorpusMeta

    def __post_init__(self) -> None:
        if self.share and self.mask and self.meta.mask_token_id is None:
            raise UserError(
                "agnostic: the base model's tokenizer has no mask token; write masking: {mask: 0} "
                "or use another base model"
            )

    def __call__(self, batch: Batch, number: int) -> Batch:
        """The batch with masked tokens, a function of the batch, the seed and the number alone."""
        if not self.share:
            return batch
        rng, ids = np.random.default_rng([self.seed, number]), batch.input_ids.numpy()
        can_be_chosen = (batch.attention_mask.numpy() == 1) & ~np.isin(ids, self.meta.special_ids)
        chosen = can_be_chosen & (rng.random(ids.shape) < self.share)
        fate, others = rng.random(ids.shape), rng.choice(self._ordinary, size=ids.shape)
        is_hidden = chosen & (fate < self.mask)
        is_swapped = chosen & ~is_hidden & (fate < self.mask + self.random)
        hidden = np.where(is_hidden, self.meta.mask_token_id or 0, ids)
        return replace(batch, input_ids=torch.from_numpy(np.where(is_swapped, others, hidden)))

    @cached_property
    def _ordinary(self) -> npt.NDArray[np.int64]:
        """All tokens but special ones."""
        return np.setdiff1d(np.arange(self.meta.vocab_size), self.meta.special_ids)


class MaskedStream:
    """An endless stream of masked batches, given in blocks of as many steps.

    One pass over the examples follows the other, each in an order of its own and without the
    smaller batch that would end it. A batch depends on the seeds and on its number alone: a
    training that resumes there gets the same ones.

    Args:
        batches: of one pass, on the CPU.
        block: number of batches in what the training loop calls an epoch.
        masking: of the tokens.

    Raises:
        UserError: there are fewer examples than a batch has.
    """

    def __init__(self, batches: LengthBucketedBatches, block: int, masking: TokenMasking) -> None:
        self.batches = batches
        self.block = block
        self.masking = masking
        self.per_pass = len(batches.split) // batches.batch_size
        self._known: tuple[int, list[Rows]] = (-1, [])
        if not self.per_pass:
            raise UserError(
                f"corpus: has {len(batches.split)} sequences beside those held out, less than "
                f"agnostic's batch_size of {batches.batch_size}; give more text or lower it"
            )

    def __len__(self) -> int:
        """Batches of a block."""
        return self.block

    @property
    def examples(self) -> int:
        """Examples of a block."""
        return self.block * self.batches.batch_size

    def real_share(self) -> float:
        """Real tokens for each position, padding included."""
        return self.batches.real_share()

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of a one-based block, from the one with number `start` on."""
        first = (epoch - 1) * self.block
        for number in range(first + start, first + self.block):
            yield self.masking(self._batch(number), number)

    def _batch(self, number: int) -> Batch:
        times, place = divmod(number, self.per_pass)
        if self._known[0] != times:
            self._known = times, self._order(times)
        return next(self.batches.made([self._known[1][place]]))

    def _order(self, times: int) -> list[Rows]:
        order = self.batches.order(times)
        return [rows for rows in order if len(rows) == self.batches.batch_size]
