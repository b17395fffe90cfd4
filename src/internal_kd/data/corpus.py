"""Unlabelled text as tokens on disk, mapped into memory.

Text is tokenised once, for all trainings on it. Any sequence can be read without those before it,
so an order of training is a permutation of all of them, and a training resumes at any step without
reading the text up to there. A token takes five bytes.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec
import numpy as np

from internal_kd.data.encoding import REFUSED_SHARE, EncodedSplit, cut_pair
from internal_kd.errors import UserError, as_user_error

if TYPE_CHECKING:
    from tokenizers import Encoding
    from transformers import PreTrainedTokenizerBase

    from internal_kd.data.passages import Passage

PASSAGES_PER_CALL = SEQUENCES_PER_WRITE = 1000
TOKENS, SEGMENTS, LENGTHS = "input_ids.int32", "token_type_ids.uint8", "lengths.int32"
META = "corpus.json"

Sequence = tuple[list[int], list[int]]  # tokens and their segments


@dataclass(frozen=True)
class CorpusMeta:
    """What there is to know about a corpus beside its tokens.

    Attributes:
        sequences: number of sequences.
        tokens: of all sequences together, special ones included.
        squares: sum of the squared lengths of the sequences.
        vocab_size: entries of the tokenizer.
        pad_token_id: of the tokenizer.
        mask_token_id: of the tokenizer; None if it has no such token.
        special_ids: tokens that are never masked.
    """

    sequences: int
    tokens: int
    squares: int
    vocab_size: int
    pad_token_id: int
    mask_token_id: int | None
    special_ids: tuple[int, ...]


@dataclass(frozen=True)
class Corpus:
    """Sequences of tokens, without labels, that may be larger than the memory."""

    split: EncodedSplit
    meta: CorpusMeta

    def parts(self, held_out: int) -> tuple[EncodedSplit, EncodedSplit]:
        """All but the last sequences, and so many of them that nothing is trained on.

        Raises:
            UserError: there are no more than these.
        """
        found = len(self.split)
        if held_out >= found:
            raise UserError(
                f"corpus.held_out: is {held_out}, but the corpus has {found} sequences; write less "
                "or give more text"
            )
        border = found - held_out
        return _slice(self.split, 0, border), _slice(self.split, border, found)


def _slice(split: EncodedSplit, start: int, end: int) -> EncodedSplit:
    """Consecutive examples, whose tokens stay where they are."""
    return EncodedSplit(
        split.input_ids,
        split.token_type_ids,
        split.offsets[start : end + 1],
        split.labels[start:end],
        split.indices[start:end],
    )


def write_corpus(
    folder: Path,
    passages: "Iterable[Passage]",
    tokenizer: "PreTrainedTokenizerBase",
    max_length: int,
    *,
    pack: bool = False,
    segments: int = 2,
) -> None:
    """Tokenise passages as they come and write them into a folder.

    A text with more than `max_length` tokens becomes several sequences; the two texts of a pair
    are shortened as in BERT. With `pack`, texts follow each other, divided by the separator, in
    sequences of exactly `max_length` tokens; what is left at the end is dropped.

    Args:
        folder: to write into.
        passages: of the text.
        tokenizer: of the base model.
        max_length: tokens of a sequence, special ones included.
        pack: whether texts are joined.
        segments: that the model distinguishes; with fewer than two all tokens are of segment 0.

    Raises:
        UserError: there is no text, or more than half of its tokens are unknown.
    """
    pieces = _Pieces(tokenizer, max_length)
    sequences = pieces.packed(passages) if pack else pieces.of_each(passages)
    folder.mkdir(parents=True, exist_ok=True)
    with (
        open(folder / TOKENS, "wb") as ids,
        open(folder / SEGMENTS, "wb") as kinds,
        open(folder / LENGTHS, "wb") as lengths,
    ):
        writer = _Writer(ids, kinds, lengths, segments > 1, tokenizer.unk_token_id)
        while group := list(islice(sequences, SEQUENCES_PER_WRITE)):
            writer.write(group)
    writer.check()
    meta = CorpusMeta(
        writer.sequences,
        writer.tokens,
        writer.squares,
        len(tokenizer),
        tokenizer.pad_token_id,
        tokenizer.mask_token_id,
        tuple(sorted(tokenizer.all_special_ids)),
    )
    (folder / META).write_text(json.dumps(asdict(meta)) + "\n", encoding="utf-8")


class _Writer:
    """Appends sequences to the files of a corpus, and counts them."""

    def __init__(
        self,
        ids: BinaryIO,
        kinds: BinaryIO,
        lengths: BinaryIO,
        has_segments: bool,
        unknown_id: int | None,
    ) -> None:
        self._ids, self._kinds, self._lengths = ids, kinds, lengths
        self._has_segments = has_segments
        self._unknown_id = unknown_id
        self.sequences, self.tokens, self.squares, self.unknown = 0, 0, 0, 0

    def write(self, group: list[Sequence]) -> None:
        """Write some sequences."""
        ids = np.array([token for tokens, _ in group for token in tokens], dtype=np.int32)
        kinds = np.array([kind for _, kinds in group for kind in kinds], dtype=np.uint8)
        lengths = np.array([len(tokens) for tokens, _ in group], dtype=np.int32)
        self._ids.write(ids.tobytes())
        self._kinds.write((kinds if self._has_segments else np.zeros_like(kinds)).tobytes())
        self._lengths.write(lengths.tobytes())
        self.sequences, self.tokens = self.sequences + len(lengths), self.tokens + len(ids)
        self.squares += int((lengths.astype(np.int64) ** 2).sum())
        self.unknown += int((ids == self._unknown_id).sum())

    def check(self) -> None:
        """Refuse what holds nothing to learn from."""
        if not self.sequences:
            raise UserError(
                "corpus: holds no text, or too little for one sequence; give more text or another "
                "path"
            )
        share = self.unknown / self.tokens
        if share > REFUSED_SHARE:
            raise UserError(
                f"corpus: {share:.0%} of its tokens are unknown to the base model's tokenizer; "
                "give text in its language"
            )


class _Pieces:
    """Cuts passages into sequences with special tokens around them."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", max_length: int) -> None:
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.before, self.after = _special_tokens_around(tokenizer)
        self.budget = max_length - len(self.before) - len(self.after)

    def of_each(self, passages: "Iterable[Passage]") -> Iterator[Sequence]:
        """Each passage by itself."""
        for encoded in self._encoded(passages):
            if len(encoded) == 2:
                yield self._pair(*encoded)
                continue
            ids = encoded[0].ids
            for start in range(0, len(ids), self.budget):
                yield self._framed(ids[start : start + self.budget])

    def packed(self, passages: "Iterable[Passage]") -> Iterator[Sequence]:
        """All texts one after the other."""
        between = [] if self.tokenizer.sep_token_id is None else [self.tokenizer.sep_token_id]
        kept: list[int] = []
        for text in (text for encoded in self._encoded(passages) for text in encoded):
            kept += (between if kept else []) + text.ids
            while len(kept) >= self.budget:
                yield self._framed(kept[: self.budget])
                kept = kept[self.budget :]

    def _encoded(self, passages: "Iterable[Passage]") -> "Iterator[tuple[Encoding, ...]]":
        """Passages whose texts all have tokens, without special ones."""
        stream = iter(passages)
        while group := list(islice(stream, PASSAGES_PER_CALL)):
            texts = [text for passage in group for text in passage]
            made = iter(self.tokenizer(texts, add_special_tokens=False, verbose=False).encodings)
            for passage in group:
                encoded = tuple(islice(made, len(passage)))
                if all(len(text) for text in encoded):
                    yield encoded

    def _framed(self, ids: list[int]) -> Sequence:
        tokens = [*self.before, *ids, *self.after]
        return tokens, [0] * len(tokens)

    def _pair(self, first: "Encoding", second: "Encoding") -> Sequence:
        budget = self.max_length - self.tokenizer.num_special_tokens_to_add(pair=True)
        for text, size in zip(
            (first, second), cut_pair(len(first), len(second), budget), strict=True
        ):
            text.truncate(size)
        pair = self.tokenizer.backend_tokenizer.post_process(first, second)
        return pair.ids, pair.type_ids


def _special_tokens_around(tokenizer: "PreTrainedTokenizerBase") -> tuple[list[int], list[int]]:
    """The special tokens before and after a text."""
    framed = tokenizer("a").encodings[0]
    own = [place for place, special in enumerate(framed.special_tokens_mask) if not special]
    return framed.ids[: own[0]], framed.ids[own[-1] + 1 :]


def load_corpus(folder: Path) -> Corpus:
    """The sequences that `write_corpus` wrote; their tokens are read when they are needed."""
    with as_user_error(folder, "not a corpus of this package", "make it again"):
        meta = msgspec.json.decode((folder / META).read_bytes(), type=CorpusMeta)
        lengths = np.fromfile(folder / LENGTHS, dtype=np.int32)
        split = EncodedSplit(
            input_ids=np.memmap(folder / TOKENS, dtype=np.int32, mode="r"),
            token_type_ids=np.memmap(folder / SEGMENTS, dtype=np.uint8, mode="r"),
            offsets=np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
            labels=np.broadcast_to(np.int64(-1), len(lengths)),
            indices=np.arange(len(lengths), dtype=np.int64),
        )
    return Corpus(split, meta)
