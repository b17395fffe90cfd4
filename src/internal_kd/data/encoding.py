"""Tokenised splits as ragged numpy arrays, parts of them, and the file they are kept in."""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from internal_kd.errors import UserError, as_user_error

if TYPE_CHECKING:
    import pyarrow as pa
    from tokenizers import Encoding
    from transformers import PreTrainedTokenizerBase

    from internal_kd.specs.tasks import TaskData


ROWS_PER_CALL = 4096
META_KEY = "meta"
# Of unknown tokens among all tokens of a split.
REMARKABLE_SHARE, REFUSED_SHARE = 0.1, 0.5

Number = TypeVar("Number", bound="np.generic[object]")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EncodedSplit:
    """The examples of one split, one after the other, without padding.

    Attributes:
        input_ids: int32 [tokens], special tokens included.
        token_type_ids: uint8 [tokens], 1 for the second text of a pair where the model has types.
        offsets: int64 [examples + 1]; example i is `input_ids[offsets[i]:offsets[i + 1]]`.
        labels: int64 [examples], -1 where unlabelled.
        indices: int64 [examples], row number in the split.
    """

    input_ids: npt.NDArray[np.int32]
    token_type_ids: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int64]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each example, int64 [examples]."""
        return np.diff(self.offsets)

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, rows: npt.NDArray[np.int64]) -> "EncodedSplit":
        """The examples at positions `rows` [n], in that order, with the `indices` they had."""
        lengths = self.lengths[rows]
        offsets = offsets_of(lengths)
        tokens = np.arange(offsets[-1]) + np.repeat(self.offsets[rows] - offsets[:-1], lengths)
        return EncodedSplit(
            input_ids=self.input_ids[tokens],
            token_type_ids=self.token_type_ids[tokens],
            offsets=offsets,
            labels=self.labels[rows],
            indices=self.indices[rows],
        )


def offsets_of(lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Where each example starts, with the end of the last one: int64 [examples + 1]."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def encode_split(
    table: "pa.Table",
    task: "TaskData",
    tokenizer: "PreTrainedTokenizerBase",
    max_length: int,
    segments: int = 2,
) -> EncodedSplit:
    """Tokenise a validated table of one split (see `data.checks.validate_table`).

    Pairs longer than `max_length` tokens lose tokens from the end of the longer text first, exactly
    as in BERT (see `cut_pair`). The model decides on token types, not the tokenizer: one with fewer
    than two `segments` (RoBERTa, DistilBERT) gets zeros.

    Raises:
        UserError: the base model has no tokenizer of the tokenizers library (tokenizer.json), or
            one with more token types than the model has segments.
    """
    if not tokenizer.is_fast:
        raise UserError(
            f"base_model: its tokenizer {type(tokenizer).__name__} has no tokenizer.json; "
            "choose a base model that has one"
        )
    pieces = [
        _encode_rows(table.slice(start, ROWS_PER_CALL), task, tokenizer, max_length)
        for start in range(0, table.num_rows, ROWS_PER_CALL)
    ]
    ids, types, lengths = (np.concatenate(arrays) for arrays in zip(*pieces, strict=True))
    if segments < 2:
        types = np.zeros_like(types)
    elif types.max(initial=0) >= segments:
        raise UserError(
            f"base_model: its tokenizer assigns segment {types.max()} but the model has "
            f"{segments} segments; take both from the same source"
        )
    return EncodedSplit(
        input_ids=ids,
        token_type_ids=types,
        offsets=offsets_of(lengths),
        labels=table.column("label").to_numpy().astype(np.int64),
        indices=np.arange(table.num_rows, dtype=np.int64),
    )


def _encode_rows(
    rows: "pa.Table", task: "TaskData", tokenizer: "PreTrainedTokenizerBase", max_length: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Token ids [tokens], token types [tokens] and lengths [rows] of a few thousand rows."""
    budget = max_length - tokenizer.num_special_tokens_to_add(pair=len(task.text_columns) == 2)
    columns = [
        tokenizer(rows.column(name).to_pylist(), add_special_tokens=False, verbose=False).encodings
        for name in task.text_columns
    ]
    finish = tokenizer.backend_tokenizer.post_process
    encoded = [finish(*_cut(texts, budget)) for texts in zip(*columns, strict=True)]
    lengths = np.array([len(encoding) for encoding in encoded], dtype=np.int64)
    ids = _flat([encoding.ids for encoding in encoded], np.int32)
    return ids, _flat([encoding.type_ids for encoding in encoded], np.uint8), lengths


def _cut(texts: "tuple[Encoding, ...]", budget: int) -> "tuple[Encoding, ...]":
    kept = cut_pair(len(texts[0]), len(texts[1]), budget) if len(texts) == 2 else (budget,)
    for text, size in zip(texts, kept, strict=True):
        text.truncate(size)
    return texts


def cut_pair(first: int, second: int, budget: int) -> tuple[int, int]:
    """Tokens that two texts keep when the longer one gives up its last token until both fit.

    When both are equally long the second gives one up, as in BERT's `_truncate_seq_pair`; the
    tokenizers library takes it from either.
    """
    half = budget // 2
    if first + second <= budget:
        return first, second
    if first <= half:
        return first, budget - first
    if second <= half:
        return budget - second, second
    return budget - half, half


def _flat(rows: list[list[int]], dtype: type[Number]) -> npt.NDArray[Number]:
    return np.fromiter(chain.from_iterable(rows), dtype=dtype)


def check_known(split: EncodedSplit, unknown: int | None, task: str) -> None:
    """Refuse texts that mean nothing to the model, as its tokenizer has few of their words.

    Args:
        split: encoded texts.
        unknown: number of the token for unknown words; None if there is none.
        task: named in messages.

    Raises:
        UserError: more than half of the tokens are unknown.
    """
    share = float((split.input_ids == unknown).mean())
    if share > REFUSED_SHARE:
        raise UserError(
            f"data: {share:.0%} of the tokens of {task} are unknown to the base model's tokenizer; "
            "take model and tokenizer from the same source, and data in their language"
        )
    if share > REMARKABLE_SHARE:
        log.warning("%s: %.0f %% of the tokens are unknown to the tokenizer", task, 100 * share)


@dataclass(frozen=True)
class TokensMeta:
    """What a file of tokens says beside the splits.

    Attributes:
        task: its name.
        labels: names of the classes.
        pad_token_id: of the tokenizer.
        max_length: tokens that an example may have.
        vocab_size: entries of the tokenizer.
        changes: sentences on what was dropped or changed when the data were read.
    """

    task: str
    labels: tuple[str, ...]
    pad_token_id: int
    max_length: int
    vocab_size: int
    changes: tuple[str, ...] = ()


def save_tokens(path: str | Path, splits: Mapping[str, EncodedSplit], meta: TokensMeta) -> None:
    """Write splits and `meta` into one uncompressed .npz file.

    The same content gives the same bytes.
    """
    arrays: dict[str, npt.ArrayLike] = {
        f"{name}/{field.name}": getattr(split, field.name)
        for name, split in splits.items()
        for field in fields(EncodedSplit)
    }
    arrays[META_KEY] = np.array(json.dumps(_filled(meta), sort_keys=True))
    with open(path, "wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def _filled(meta: TokensMeta) -> dict[str, object]:
    """As plain data, without an empty list of changes."""
    found = asdict(meta)
    return found if meta.changes else {key: found[key] for key in found if key != "changes"}


def load_tokens(path: str | Path) -> tuple[dict[str, EncodedSplit], TokensMeta]:
    """Read what `save_tokens` wrote: the splits by name, and `meta`."""
    with as_user_error(path, "not a token file of this package", "make it again"):
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        meta = msgspec.json.decode(str(arrays.pop(META_KEY)), type=TokensMeta)
        names = list(dict.fromkeys(key.split("/")[0] for key in arrays))
        return {
            name: EncodedSplit(**{f.name: arrays[f"{name}/{f.name}"] for f in fields(EncodedSplit)})
            for name in names
        }, meta


def nested_stratified(
    labels: npt.NDArray[np.int64], percent: float, seed: int
) -> npt.NDArray[np.int64]:
    """A stratified `percent` % of the training set: ascending rows, int64 [n * percent / 100].

    With the same seed the rows of a smaller percentage are contained in those of a larger one. Each
    class keeps its share to within one row, and has at least one row.

    Args:
        labels: int64 [n].
        percent: above 0, at most 100.
        seed: of the shuffle inside each class.
    """
    classes, counts = np.unique(labels, return_counts=True)
    rng = np.random.default_rng(seed)
    share = np.empty(len(labels))
    for label, count in zip(classes, counts, strict=True):
        share[labels == label] = rng.permutation(count) / count
    size = max(len(classes), round(len(labels) * percent / 100))
    return np.sort(np.argsort(share, kind="stable")[:size])
