"""The teacher's signals of all training examples on disk, shared by the runs that read them.

A store holds one target, such as the attention of some layers, of one teacher and one training
split. It is a cache beside the outputs of the workflow: the first run that needs it writes it under
a lock, all others map it into memory, where processes of one machine share its pages. It is there
as a whole or not at all, and damage is noticed.

The values of an example with L tokens lie side by side, without padding, from the shortest example
to the longest: in that order the teacher's pass writes them.

Values of all training examples, one after the other and without padding.
"""

import hashlib
import json
import logging
import math
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from internal_kd.data.batches import Batch, order_by_length
from internal_kd.data.encoding import EncodedSplit
from internal_kd.distillation.signals import Signals, StoredTarget
from internal_kd.locks import exclusive
from internal_kd.manifests import FileMark, digest, file_mark, has_mark, hashes, versions

logger = logging.getLogger(__name__)

RECORD = "store.json"
LAYOUT = 1  # of the files; stores of another one are rebuilt

Number = TypeVar("Number", bound="np.generic[object]")
Pass = Callable[[Sequence[StoredTarget]], Iterable[tuple[Batch, Signals]]]


@dataclass(frozen=True)
class StoredValues:
    """The form of a file of values.

    Attributes:
        dtype: name of numpy's type.
        shape: of an example's values, layers first; None for an axis of its tokens.
    """

    dtype: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class StoreRecord:
    """What lies in the folder of a store.

    Attributes:
        target: what is stored.
        values: by the name of their file.
        files: by name.
    """

    target: StoredTarget
    values: dict[str, StoredValues]
    files: dict[str, FileMark]


def _read_record(folder: Path) -> StoreRecord:
    """The record of a store.

    Raises:
        OSError, ValueError: there is none, or it is damaged.
    """
    return msgspec.json.decode((folder / RECORD).read_bytes(), type=StoreRecord)


class SignalStore:
    """The files of one target, which are whole.

    Args:
        folder: of the store.
        split: whose examples are stored.
    """

    def __init__(self, folder: Path, split: EncodedSplit) -> None:
        self.folder = folder
        self.split = split
        self.record = _read_record(folder)

    @cached_property
    def places(self) -> npt.NDArray[np.int64]:
        """Position of each example in the order in which they are stored, int64 [examples]."""
        order = order_by_length(self.split)
        places = np.empty(len(order), dtype=np.int64)
        places[order] = np.arange(len(order))
        return places

    def starts(self, name: str) -> npt.NDArray[np.int64]:
        """Where each example's values of a file start, int64 [examples]."""
        shape = self.shape(name)
        lengths = self.split.lengths[order_by_length(self.split)].astype(np.int64)
        fixed = math.prod(size for size in shape if size is not None)
        sizes = fixed * lengths ** shape.count(None)
        found: npt.NDArray[np.int64] = (np.cumsum(sizes) - sizes)[self.places]
        return found

    def shape(self, name: str) -> tuple[int | None, ...]:
        """Shape of an example's values, layers first; None for an axis of its tokens."""
        return self.record.values[name].shape

    def values(self, name: str) -> Tensor:
        """All values of a file, one-dimensional and mapped into memory; nobody writes to them."""
        dtype = np.dtype(self.record.values[name].dtype)
        # Copy on write lets torch wrap a read-only mapping without a warning.
        return torch.from_numpy(np.memmap(self.folder / f"{name}.bin", dtype, mode="c"))

    @property
    def names(self) -> list[str]:
        """Names of the files of values."""
        return list(self.record.values)

    @property
    def checksum(self) -> str:
        """Hash of the content."""
        return digest({name: mark.hash for name, mark in self.record.files.items()})


def store_identity(teacher: Path, split: EncodedSplit, pad_token_id: int, code: object) -> str:
    """Hash of all that decides the numbers of a teacher's signals.

    Args:
        teacher: folder of its model.
        split: the examples.
        pad_token_id: of the tokenizer.
        code: fingerprint of the code, and the device that computes.
    """
    examples = hashlib.blake2b(digest_size=16)
    for values in (split.input_ids, split.token_type_ids, split.offsets):
        examples.update(np.ascontiguousarray(values).data)
    # Snakemake keeps a hidden file in folders that are outputs.
    files = (path for path in teacher.iterdir() if not path.name.startswith("."))
    weights = sorted(hashes(files).values())
    return digest([LAYOUT, weights, examples.hexdigest(), pad_token_id, code, versions()])


def obtain(
    folder: Path, targets: Sequence[StoredTarget], split: EncodedSplit, teacher_pass: Pass
) -> dict[StoredTarget, SignalStore]:
    """The stores of some targets; those that are missing or damaged are written by one pass.

    Args:
        folder: of all stores of this teacher and split.
        targets: that are needed.
        split: the examples.
        teacher_pass: runs the teacher over the examples in `order_by_length`, and gives each batch
            with the signals of the targets that it is called with.

    Raises:
        OSError: they cannot be written, or the file system has no locks.
        UserError: the lock is another user's or a link.
    """
    with exclusive(folder.with_name(f"{folder.name}.lock"), "signals of the teacher"):
        missing = [target for target in targets if not _is_whole(folder / target.folder)]
        if missing:
            logger.info("signals of the teacher: writing %s", ", ".join(t.name for t in missing))
        # Hidden states of all tokens make the last layer's rows round otherwise, see `features`.
        for whole in (False, True):
            together = [target for target in missing if target.needs_whole_layer == whole]
            if together:
                _write(folder, together, teacher_pass)
        return {target: SignalStore(folder / target.folder, split) for target in targets}


def _is_whole(folder: Path) -> bool:
    if not folder.exists():
        return False
    try:
        files = _read_record(folder).files
        whole = all(has_mark(folder / name, mark) for name, mark in files.items())
    except (OSError, ValueError):
        whole = False
    if not whole:
        logger.warning("%s: the stored signals are damaged; they are written again", folder)
    return whole


def _write(folder: Path, targets: Sequence[StoredTarget], teacher_pass: Pass) -> None:
    """Write stores, each into a folder that gets its name when it is whole."""
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        writers = [_Writer(partial / target.folder, target) for target in targets]
        with ExitStack() as stack:
            for writer in writers:
                stack.enter_context(writer)
            for batch, signals in teacher_pass(targets):
                for writer in writers:
                    writer.append(batch, signals)
        for writer in writers:
            writer.finish()
            final = folder / writer.target.folder
            shutil.rmtree(final, ignore_errors=True)
            final.parent.mkdir(parents=True, exist_ok=True)
            writer.folder.rename(final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


class _Writer:
    """The files of a store while they are written, batch after batch."""

    def __init__(self, folder: Path, target: StoredTarget) -> None:
        self.folder, self.target = folder, target
        self.values: dict[str, StoredValues] = {}
        self._files: dict[str, IO[bytes]] = {}

    def __enter__(self) -> "_Writer":
        self.folder.mkdir(parents=True)
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def append(self, batch: Batch, signals: Signals) -> None:
        """Add the values of a batch's examples."""
        lengths = batch.attention_mask.sum(dim=1).tolist()
        for name, values in self.target.values(signals, batch).items():
            array, ragged = values.cpu().numpy(), self.target.token_axes(name)
            if name not in self._files:
                shape = (None if k - 1 in ragged else n for k, n in enumerate(array.shape[1:]))
                self.values[name] = StoredValues(array.dtype.name, tuple(shape))
                self._files[name] = open(self.folder / f"{name}.bin", "wb")  # noqa: SIM115
            for one in _without_padding(array, ragged, lengths):
                self._files[name].write(np.ascontiguousarray(one).data)

    def finish(self) -> None:
        """Write the record, once the files are closed and on disk."""
        files = sorted(self.folder.iterdir())
        for file in files:
            with open(file, "rb") as written:
                os.fsync(written.fileno())
        marks = {file.name: file_mark(file) for file in files}
        record = msgspec.to_builtins(StoreRecord(self.target, self.values, marks))
        (self.folder / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _without_padding(
    array: npt.NDArray[Number], ragged: Sequence[int], lengths: Sequence[int]
) -> Iterator[npt.NDArray[Number]]:
    """The values of each example of a batch; axes behind batch and layers may be ragged."""
    if not ragged:
        yield array
        return
    for values, length in zip(array, lengths, strict=True):
        kept = (slice(length if axis - 1 in ragged else None) for axis in range(values.ndim))
        yield values[tuple(kept)]


SAME_BITS = {torch.uint16: torch.int16}  # indexing supports few operations on unsigned numbers

Shape = tuple[int | None, ...]


class RaggedValues(ABC):
    """Values of a split, of which an example of L tokens has an array of its own size.

    Args:
        numbers: of all examples, one-dimensional.
        starts: int64 [examples], where each example's numbers start.
        lengths: int64 [examples], its tokens.
        shape: of an example's array, its layers first; None for an axis of L.
    """

    def __init__(
        self,
        numbers: Tensor,
        starts: npt.NDArray[np.int64],
        lengths: npt.NDArray[np.int64],
        shape: Shape,
    ) -> None:
        self.numbers, self.starts, self.lengths, self.shape = numbers, starts, lengths, shape

    @abstractmethod
    def read(self, batch: Batch, chosen: Sequence[int]) -> Tensor:
        """Values of a batch in these zero-based layers, zero at padding.

        Returns `[batch, layers chosen, ...]` in the form that they are stored in, with the batch's
        width for L.
        """


class CopiedValues(RaggedValues):
    """A copy per example: the fastest way on a CPU."""

    def read(self, batch: Batch, chosen: Sequence[int]) -> Tensor:
        """See `RaggedValues.read`."""
        low, high = min(chosen), max(chosen) + 1
        views = [self._view(row)[low:high] for row in batch.rows]
        if batch.padded:
            width = batch.input_ids.shape[1]
            shape = [width if size is None else size for size in self.shape[1:]]
            stacked = self.numbers.new_zeros((len(views), high - low, *shape))
            for position, view in enumerate(views):
                stacked[position][tuple(slice(size) for size in view.shape)] = view
        else:
            stacked = torch.stack(views)
        return select_layers(stacked, [layer - low for layer in chosen])

    def _view(self, row: int) -> Tensor:
        """The array of one example."""
        length, start = int(self.lengths[row]), int(self.starts[row])
        shape = [length if size is None else size for size in self.shape]
        return self.numbers[start : start + math.prod(shape)].view(shape)


class GatheredValues(RaggedValues):
    """A few launches per batch, whatever its size: the places of all numbers are computed.

    The numbers lie on the device of the batches.
    """

    @cached_property
    def _bits(self) -> Tensor:
        return self.numbers.view(SAME_BITS.get(self.numbers.dtype, self.numbers.dtype))

    @cached_property
    def _lengths(self) -> Tensor:
        return torch.from_numpy(self.lengths.astype(np.int64)).to(self.numbers.device)

    @cached_property
    def _starts(self) -> Tensor:
        return torch.from_numpy(self.starts).to(self.numbers.device)

    def read(self, batch: Batch, chosen: Sequence[int]) -> Tensor:
        """See `RaggedValues.read`."""
        low, high = min(chosen), max(chosen) + 1
        places, padding = self._places(batch, low, high)
        stacked = self._bits[places].masked_fill_(padding, 0).view(self.numbers.dtype)
        return select_layers(stacked, [layer - low for layer in chosen])

    def _places(self, batch: Batch, low: int, high: int) -> tuple[Tensor, Tensor]:
        """Where layers `low` to `high` - 1 lie, and which places are padding.

        Returns int64 `[batch, layers, ...]`, any valid place at padding, and bool that broadcasts
        to it.
        """
        lengths, width = self._lengths[batch.index], batch.input_ids.shape[1]
        axes = len(self.shape)
        places = self._starts[batch.index].view(-1, *[1] * axes)
        padding = torch.zeros_like(places, dtype=torch.bool)
        stride = torch.ones_like(lengths)
        for axis in reversed(range(axes)):
            size = self.shape[axis]
            first, end = (low, high) if axis == 0 else (0, width if size is None else size)
            steps = torch.arange(first, end, device=lengths.device)
            steps = steps.view(-1, *[1] * (axes - 1 - axis))
            places = places + steps * stride.view(-1, *[1] * axes)
            if size is None:
                padding = padding | (steps >= lengths.view(-1, *[1] * axes))
            stride = stride * (lengths if size is None else size)
        return places.masked_fill_(padding, 0), padding


def ragged_values(
    numbers: Tensor,
    starts: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    shape: Shape,
) -> RaggedValues:
    """The way of reading values that suits their device; see `RaggedValues`."""
    kind = CopiedValues if numbers.device.type == "cpu" else GatheredValues
    return kind(numbers, starts, lengths, shape)


def select_layers(values: Tensor, chosen: Sequence[int]) -> Tensor:
    """`[batch, layers, ...]` cut to the chosen layers; a view where they lie side by side.

    A list as an index would be copied to the device, and waited for.
    """
    low, high = min(chosen), max(chosen) + 1
    if list(chosen) == list(range(low, high)):
        return values[:, low:high]
    return torch.stack([values[:, layer] for layer in chosen], dim=1)
