"""Where a run's signals come from: stores that all runs share, or a live teacher."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from internal_kd.data.batches import Batch, moved, sorted_batches
from internal_kd.data.encoding import EncodedSplit
from internal_kd.distillation.signal_store import (
    RaggedValues,
    SignalStore,
    obtain,
    ragged_values,
    select_layers,
    store_identity,
)
from internal_kd.distillation.signals import (
    FORMS,
    LOGITS,
    LiveSignals,
    SignalRequest,
    Signals,
    SignalSource,
    StoredTarget,
    signal_bytes,
    stored_targets,
)
from internal_kd.errors import reason
from internal_kd.fingerprint import code_fingerprint
from internal_kd.manifests import LiveTeacher, SignalOrigin, SignalStores
from internal_kd.models.bert import ClassifierConfig
from internal_kd.models.capture import FrozenTeacher
from internal_kd.objectives.registry import HEAD_SIZE, HEADS, HIDDEN

logger = logging.getLogger(__name__)

TEACHER_BATCH = 64  # examples in a batch of the pass that fills a store


@dataclass(frozen=True)
class SignalOptions:
    """How a run gets its signals.

    Attributes:
        source: `stored`, `live`, or `auto` for stored ones where the budget holds them.
        attention: form of stored attention, `fp32` or `uint16`.
        budget_mb: for stored signals of one run, in millions of bytes.
        folder: for the stores; None for none, then the teacher is live.
    """

    source: Literal["auto", "stored", "live"] = "auto"
    attention: str = "fp32"
    budget_mb: float = 0.0
    folder: Path | None = None


@dataclass(frozen=True)
class TeacherOfSplit:
    """A teacher and the examples on which it is used.

    Attributes:
        load: gives the teacher on the device of the training; called only where it is run, which a
            student with stored signals need not do.
        config: of its model.
        folder: of its model.
        split: training examples.
        pad_token_id: of the tokenizer.
        device: of the training.
    """

    load: Callable[[], FrozenTeacher]
    config: ClassifierConfig
    folder: Path
    split: EncodedSplit
    pad_token_id: int
    device: torch.device


def signal_source(
    teacher: TeacherOfSplit, request: SignalRequest, options: SignalOptions
) -> SignalSource:
    """The source of a run's signals.

    Where stores cannot be written or locked the teacher is live, with a warning.

    Raises:
        UserError: the lock of the stores is another user's or a link.
    """
    if options.folder is None or not _are_stored(teacher, request, options):
        return LiveSignals(teacher.load(), request)
    try:
        return _stored(teacher, request, options, options.folder)
    except OSError as error:
        logger.warning(
            "%s: the teacher's signals cannot be stored there (%s); it runs for each batch",
            options.folder,
            reason(error),
        )
        return LiveSignals(teacher.load(), request)


def _are_stored(teacher: TeacherOfSplit, request: SignalRequest, options: SignalOptions) -> bool:
    fits = _bytes(teacher, request, options) <= options.budget_mb * 1e6
    return options.source == "stored" or (options.source == "auto" and fits)


def _bytes(teacher: TeacherOfSplit, request: SignalRequest, options: SignalOptions) -> int:
    config = teacher.config
    heads, hidden = config.num_attention_heads, config.hidden_size
    sizes = {HEADS: heads, HIDDEN: hidden, HEAD_SIZE: hidden // heads}
    return signal_bytes(teacher.split.lengths, request, sizes, options.attention)


def _stored(
    teacher: TeacherOfSplit, request: SignalRequest, options: SignalOptions, folder: Path
) -> "StoredSignals":
    code = [code_fingerprint(__name__), teacher.device.type]
    identity = store_identity(teacher.folder, teacher.split, teacher.pad_token_id, code)
    targets = stored_targets(request, options.attention)
    stores = obtain(folder / identity, targets, teacher.split, partial(_teacher_pass, teacher))
    needed = _bytes(teacher, request, options)
    return StoredSignals(stores, request, teacher.split, _home(teacher.device, needed))


def _teacher_pass(
    teacher: TeacherOfSplit, targets: Sequence[StoredTarget]
) -> Iterator[tuple[Batch, Signals]]:
    """Signals of all examples, from short to long, each by a whole pass of the teacher."""
    names = tuple(target.kind for target in targets if target.kind != LOGITS)
    layers = next((target.layers for target in targets if target.kind != LOGITS), ())
    every = {layer: layer for layer in layers}
    live = LiveSignals(teacher.load(), SignalRequest(True, every, names))
    for batch in sorted_batches(teacher.split, TEACHER_BATCH, teacher.pad_token_id):
        on_device = batch.to(teacher.device)
        yield on_device, live(on_device, layers, logits=True)


def _home(device: torch.device, needed: int) -> torch.device:
    """The device itself if its free memory holds twice what is needed, otherwise the CPU."""
    if device.type == "cuda" and 2 * needed > torch.cuda.mem_get_info(device)[0]:
        return torch.device("cpu")
    return device


def describe_signals(source: SignalSource | None) -> SignalOrigin | None:
    """Where signals came from, for the record of a run; None where there are none."""
    if source is None:
        return None
    if not isinstance(source, StoredSignals):
        return LiveTeacher()
    return SignalStores({target.name: each.checksum for target, each in source.stores.items()})


class StoredSignals:
    """Signals from stores, mapped into memory, or uploaded once to a GPU.

    Args:
        stores: of a run's targets.
        request: of the run.
        split: training examples.
        home: device that holds the signals.
    """

    def __init__(
        self,
        stores: dict[StoredTarget, SignalStore],
        request: SignalRequest,
        split: EncodedSplit,
        home: torch.device,
    ) -> None:
        self.stores = stores
        places = {layer: place for place, layer in enumerate(request.layers)}
        self._stored = {student: places[layer] for student, layer in request.matched.items()}
        self.home = home
        self.tables: dict[str, Tensor] = {}
        self.ragged: dict[str, RaggedValues] = {}
        self.forms = {name: FORMS[target.form] for target in stores for name in target.packed}
        for store in stores.values():
            for name in store.names:
                self._open(store, name, split)
            self._places = torch.from_numpy(store.places).to(home)

    def _open(self, store: SignalStore, name: str, split: EncodedSplit) -> None:
        values, shape = store.values(name).to(self.home), store.shape(name)
        fixed = [size for size in shape if size is not None]
        if len(fixed) == len(shape):
            self.tables[name] = values.view(-1, *fixed)
        else:
            self.ragged[name] = ragged_values(values, store.starts(name), split.lengths, shape)

    def __call__(self, batch: Batch, layers: Sequence[int], logits: bool) -> Signals:
        """Signals of `batch` on its device, padded to its width."""
        device = batch.input_ids.device
        here = batch.index.device.type == self.home.type
        places = self._places[batch.index if here else torch.from_numpy(batch.rows)]
        known = moved(self.tables[LOGITS][places], device) if logits else None
        chosen = [self._stored[layer] for layer in layers] if self._stored else []
        if not chosen:
            return Signals(known)
        fields = {
            name: moved(select_layers(values[places], chosen), device)
            for name, values in self.tables.items()
            if name != LOGITS
        }
        for name, ragged in self.ragged.items():
            values = moved(ragged.read(batch, chosen), device)
            fields[name] = self.forms[name].unpack(values) if name in self.forms else values
        return Signals(known, fields)
