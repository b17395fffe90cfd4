"""The teacher's part of the losses: what a run requests, a live teacher, and what is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from internal_kd.data.batches import Batch
from internal_kd.fingerprint import code_fingerprint
from internal_kd.models.capture import FrozenTeacher, stacked
from internal_kd.models.features import Capture, CaptureRequest
from internal_kd.objectives.functions import TargetFields
from internal_kd.objectives.registry import (
    TARGETS,
    TOKENS,
    Amounts,
    target_bytes,
    target_modules,
)


@dataclass(frozen=True)
class Signals:
    """The teacher's part of the losses for one batch.

    Attributes:
        logits: `[batch, classes]`; None where they were not requested.
        fields: of the targets requested, by name, each `[batch, layers requested, ...]`; zero at
            padding.
    """

    logits: Tensor | None
    fields: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class SignalRequest:
    """Which signals a run's losses read.

    Attributes:
        logits: whether they read the teacher's logits.
        matched: the one-based teacher layer of each student layer with internal losses. Where
            student layers learn from all teacher layers, these are counted by their own numbers.
        targets: what they read of these layers, see `objectives.registry.TARGETS`.
    """

    logits: bool = False
    matched: Mapping[int, int] = field(default_factory=dict)
    targets: tuple[str, ...] = ()

    @property
    def layers(self) -> tuple[int, ...]:
        """One-based teacher layers that are read, bottom first."""
        return tuple(sorted(set(self.matched.values())))


class SignalSource(Protocol):
    """Gives the signals of a batch."""

    def __call__(self, batch: Batch, layers: Sequence[int], logits: bool) -> Signals:
        """Signals of `batch` from the teacher layers of these one-based student layers."""
        ...


class LiveSignals:
    """A forward pass of the teacher for each batch, no higher than what is requested."""

    def __init__(self, teacher: FrozenTeacher, request: SignalRequest) -> None:
        self.teacher = teacher
        self.request = request
        self.targets = [TargetFields(name) for name in request.targets]
        self.features = [name for target in self.targets for name in target.features]

    def __call__(self, batch: Batch, layers: Sequence[int], logits: bool) -> Signals:
        """Signals of `batch`, see `Signals`."""
        chosen = [self.request.matched[layer] for layer in layers] if self.targets else []
        outputs = self.teacher(batch, CaptureRequest.of(self.features, chosen, logits))
        mask = batch.attention_mask if batch.padded else None
        fields: dict[str, Tensor] = {}
        for target in self.targets if chosen else ():
            fields |= target(_features(outputs, target, chosen), mask)
        return Signals(None if outputs.logits is None else outputs.logits.float(), fields)


def _features(outputs: Capture, target: TargetFields, layers: Sequence[int]) -> dict[str, Tensor]:
    """What a target reads, each `[batch, layers, ...]`."""
    return {name: stacked(outputs, name, layers) for name in target.features}


LOGITS = "logits"
CODE_DIGITS = 8


@dataclass(frozen=True)
class Form:
    """How numbers from 0 to 1 are stored: as what, and what 1 is there."""

    dtype: torch.dtype
    one: float | None
    bytes: int

    def pack(self, values: Tensor) -> Tensor:
        """From numbers to what is stored."""
        return values if self.one is None else (values * self.one).round().to(self.dtype)

    def unpack(self, stored: Tensor) -> Tensor:
        """From what is stored to numbers in fp32."""
        return stored if self.one is None else stored.float() / self.one


# Fixed point: errors of 1/131070 at any size, where half precision has larger ones near 1.
FORMS = {"fp32": Form(torch.float32, None, 4), "uint16": Form(torch.uint16, 65535.0, 2)}


@dataclass(frozen=True)
class StoredTarget:
    """A target of some layers, or the logits, as they are stored.

    Attributes:
        kind: `logits`, or a target of `objectives.registry.TARGETS`.
        layers: one-based teacher layers, bottom first; none for logits.
        form: of numbers that may be packed, one of `FORMS`.
    """

    kind: str
    layers: tuple[int, ...] = ()
    form: str = "fp32"

    @property
    def name(self) -> str:
        """Name of what is stored."""
        layers = "-".join(map(str, self.layers))
        form = self.form if self.packed else ""
        return "_".join(part for part in (self.kind, layers, form) if part)

    @property
    def folder(self) -> str:
        """Name of the store's folder: the code of the target's own functions is part of it."""
        if self.kind == LOGITS:
            return self.name
        return f"{self.name}_{code_fingerprint(*target_modules(self.kind))[:CODE_DIGITS]}"

    @property
    def needs_whole_layer(self) -> bool:
        """Whether the teacher's last layer computes its output for all tokens, for this."""
        return self.kind != LOGITS and "hidden" in TARGETS[self.kind].features

    @property
    def packed(self) -> tuple[str, ...]:
        """Fields that are stored in the form."""
        if self.kind == LOGITS:
            return ()
        return tuple(name for name, stored in TARGETS[self.kind].fields.items() if stored.packed)

    def token_axes(self, name: str) -> tuple[int, ...]:
        """Axes of a field, behind batch and layers, that are as long as the example."""
        if self.kind == LOGITS:
            return ()
        shape = TARGETS[self.kind].fields[name].shape
        return tuple(axis for axis, size in enumerate(shape) if size == TOKENS)

    def values(self, signals: Signals, batch: Batch) -> dict[str, Tensor]:
        """What is stored of a batch's signals, by the names of files."""
        if self.kind == LOGITS:
            assert signals.logits is not None
            return {LOGITS: signals.logits}
        form, fields = FORMS[self.form], TARGETS[self.kind].fields
        values = {name: signals.fields[name] for name in fields}
        if self.form == "fp32" or not self.packed:
            return values
        packed = {name: form.pack(values[name]) for name in self.packed}
        # Of what is stored, so that a student with just this attention is at no distance from it.
        exact = {name: form.unpack(stored) for name, stored in packed.items()}
        mask = batch.attention_mask if batch.padded else None
        return {**values, **packed, **TargetFields(self.kind).derived({**values, **exact}, mask)}


def stored_targets(request: SignalRequest, form: str) -> tuple[StoredTarget, ...]:
    """What a run that makes this request reads."""
    logits = (StoredTarget(LOGITS),) if request.logits else ()
    return (*logits, *(StoredTarget(name, request.layers, form) for name in request.targets))


def signal_bytes(
    lengths: npt.NDArray[np.int64],
    request: SignalRequest,
    sizes: Mapping[str, int],
    form: str = "fp32",
) -> int:
    """Bytes of the stored internal signals of examples with these token counts.

    Args:
        lengths: tokens of each example.
        request: which signals are stored; logits, a few bytes per example, do not count.
        sizes: of the axes of the teacher's features, see `objectives.registry`.
        form: of numbers that may be packed, one of `FORMS`.
    """
    lengths = lengths.astype(np.int64)
    amounts = Amounts(len(lengths), int(lengths.sum()), int((lengths**2).sum()))
    layers, packed = len(request.layers), FORMS[form].bytes
    return round(
        sum(target_bytes(name, layers, sizes, amounts, packed) for name in request.targets)
    )
