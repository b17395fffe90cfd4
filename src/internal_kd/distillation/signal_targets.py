"""What of the teacher's signals is stored, in which form, and how many bytes it takes."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from internal_kd.data.batches import Batch
from internal_kd.distillation.signals import SignalRequest, Signals, entropy_of


@dataclass(frozen=True)
class Form:
    """How an attention probability is stored: as what, and what 1 is there."""

    dtype: torch.dtype
    one: float | None
    bytes: int

    def pack(self, probabilities: Tensor) -> Tensor:
        """From probabilities to what is stored."""
        if self.one is None:
            return probabilities
        return (probabilities * self.one).round().to(self.dtype)

    def unpack(self, stored: Tensor) -> Tensor:
        """From what is stored to probabilities in fp32."""
        return stored if self.one is None else stored.float() / self.one


# Fixed point: errors of 1/131070 at any size, where half precision has larger ones near 1.
FORMS = {"fp32": Form(torch.float32, None, 4), "uint16": Form(torch.uint16, 65535.0, 2)}


@dataclass(frozen=True)
class Target:
    """A part of the teacher's signals that is stored by itself.

    Attributes:
        kind: `logits`; `cls`, [CLS] vectors; `attention`, probabilities and their entropy.
        layers: one-based teacher layers, bottom first; none for logits.
        form: of attention probabilities, one of `FORMS`.
    """

    kind: Literal["logits", "cls", "attention"]
    layers: tuple[int, ...] = ()
    form: str = "fp32"

    @property
    def name(self) -> str:
        """Name of the store's folder."""
        layers = "-".join(map(str, self.layers))
        form = self.form if self.kind == "attention" else ""
        return "_".join(part for part in (self.kind, layers, form) if part)

    def values(self, signals: Signals, batch: Batch) -> dict[str, Tensor]:
        """What is stored of a batch's signals, by the names of files."""
        if self.kind != "attention":
            values = signals.logits if self.kind == "logits" else signals.cls
            assert values is not None
            return {self.kind: values}
        assert signals.attention is not None
        form = FORMS[self.form]
        packed = form.pack(signals.attention)
        # Of what is stored, so that a student with just this attention is at no distance from it.
        return {"attention": packed, "entropy": entropy_of(form.unpack(packed), batch)}


def targets_of(request: SignalRequest, form: str) -> tuple[Target, ...]:
    """What a run that makes this request reads."""
    found = []
    if request.logits:
        found.append(Target("logits"))
    if request.cls:
        found.append(Target("cls", request.layers))
    if request.attention:
        found.append(Target("attention", request.layers, form))
    return tuple(found)


def signal_bytes(
    lengths: npt.NDArray[np.int64],
    request: SignalRequest,
    heads: int,
    hidden: int,
    form: str = "fp32",
) -> int:
    """Bytes of the stored internal signals of examples with these token counts.

    Args:
        lengths: tokens of each example.
        request: which signals are stored; logits, a few bytes per example, do not count.
        heads: of a teacher layer.
        hidden: width of a [CLS] vector, which is stored in fp32.
        form: of attention probabilities, one of `FORMS`.
    """
    layers = len(request.layers)
    numbers = layers * heads * int((lengths.astype(np.int64) ** 2).sum())
    cls = layers * hidden * len(lengths)
    entropies = 8 * layers * len(lengths)
    attention = FORMS[form].bytes * numbers + entropies
    return attention * request.attention + 4 * cls * request.cls
