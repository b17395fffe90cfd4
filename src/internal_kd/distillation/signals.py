"""The teacher's part of the losses: which signals a run requests, and a teacher that gives them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor

from internal_kd.data.batches import Batch
from internal_kd.models.capture import stacked
from internal_kd.models.features import Capture, CaptureRequest
from internal_kd.models.teacher import FrozenTeacher
from internal_kd.objectives.functions import TargetFields


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
        layers: one-based teacher layers of the internal losses, bottom first.
        targets: what they read of these layers, see `objectives.registry.TARGETS`.
    """

    logits: bool = False
    layers: tuple[int, ...] = ()
    targets: tuple[str, ...] = ()


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
        chosen = [self.request.layers[k - 1] for k in layers] if self.request.layers else []
        outputs = self.teacher(batch, CaptureRequest.of(self.features, chosen, logits))
        mask = batch.attention_mask if batch.padded else None
        fields: dict[str, Tensor] = {}
        for target in self.targets if chosen else ():
            fields |= target(_features(outputs, target, chosen), mask)
        return Signals(None if outputs.logits is None else outputs.logits.float(), fields)


def _features(outputs: Capture, target: TargetFields, layers: Sequence[int]) -> dict[str, Tensor]:
    """What a target reads, each `[batch, layers, ...]`."""
    return {name: stacked(outputs, name, layers) for name in target.features}
