"""Which losses act in which epoch: all at once, progressive (PID) or stacked (SID, Algorithm 1).

A schedule is a small state machine. It starts at the bottom layer, is told the mean cosine loss
after each epoch, and moves up when that falls below a threshold or when the layer has had its share
of epochs. Its state is plain data, so that it can be saved and restored.
"""

from dataclasses import asdict, dataclass, field
from typing import Literal

Kind = Literal["simultaneous", "progressive", "stacked"]
Reason = Literal["threshold", "limit"]


@dataclass(frozen=True)
class Stage:
    """What acts during one epoch.

    Attributes:
        layers: one-based student layers whose internal losses act.
        output: whether the output loss acts.
        final: whether only the output loss is left.
    """

    layers: tuple[int, ...]
    output: bool
    final: bool


@dataclass(frozen=True)
class LayerFinished:
    """A layer's distillation ended: after which one-based epoch, why, at which mean cosine loss."""

    layer: int
    epoch: int
    reason: Reason
    cosine: float | None


@dataclass
class ScheduleState:
    """`next_locked` is Algorithm 1's `TS.nextLocked`: the zero-based layer being distilled."""

    next_locked: int = 0
    epoch: int = 0
    epochs_in_layer: int = 0
    finished: list[LayerFinished] = field(default_factory=list)


def epoch_limits(epochs: int, layers: int, internal_fraction: float) -> tuple[int, ...]:
    """Epochs for each layer: an even share of the internal epochs, at least one each.

    The paper leaves the classification layer alone "until around epoch 40" of 50, a fraction of
    0.8.
    """
    internal = max(layers, round(epochs * internal_fraction))
    ends = [round(internal * (layer + 1) / layers) for layer in range(layers)]
    return tuple(end - start for start, end in zip([0, *ends], ends, strict=False))


class Schedule:
    """State machine over the layers of a student.

    Args:
        kind: `simultaneous` – all layers in every epoch; `progressive` – one layer at a time,
            bottom first; `stacked` – all layers up to the current one (Algorithm 1, line 9).
        layers: number of student layers that are matched; 0 for training without internal losses.
        limits: epochs that each layer gets at most (line 24, `lim`).
        threshold: the mean over batches of the summed cosine loss below which a layer is finished;
            0 never.
        output_from: `start` – the output loss acts all the time; `end` – once all layers are
            finished.
    """

    def __init__(
        self,
        kind: Kind = "simultaneous",
        layers: int = 0,
        limits: tuple[int, ...] = (),
        threshold: float = 0.0,
        output_from: Literal["start", "end"] = "start",
    ) -> None:
        self.kind = kind
        self.layers = layers
        self.limits = limits
        self.threshold = threshold
        self.output_from = output_from
        self.state = ScheduleState()

    def stage(self) -> Stage:
        """What acts in the coming epoch."""
        current = self.state.next_locked + 1
        if self.kind == "simultaneous":
            return Stage(tuple(range(1, self.layers + 1)), output=True, final=False)
        if current > self.layers:
            return Stage((), output=True, final=True)
        first = current if self.kind == "progressive" else 1
        return Stage(
            tuple(range(first, current + 1)), output=self.output_from == "start", final=False
        )

    def end_epoch(self, cosine: float | None) -> LayerFinished | None:
        """Count an epoch and move up if the layer is finished (Algorithm 1, lines 24 and 25).

        Args:
            cosine: mean over the epoch's batches of the summed cosine loss, tau normalised per
                batch; None where no cosine loss acts.
        """
        stage = self.stage()
        self.state.epoch += 1
        if self.kind == "simultaneous" or stage.final:
            return None
        self.state.epochs_in_layer += 1
        reason = self._reason_to_advance(cosine)
        if reason is None:
            return None
        event = LayerFinished(self.state.next_locked + 1, self.state.epoch, reason, cosine)
        self.state.finished.append(event)
        self.state.next_locked += 1
        self.state.epochs_in_layer = 0
        return event

    def _reason_to_advance(self, cosine: float | None) -> Reason | None:
        if self.threshold > 0 and cosine is not None and cosine < self.threshold:
            return "threshold"
        if self.state.epochs_in_layer >= self.limits[self.state.next_locked]:
            return "limit"
        return None

    def state_dict(self) -> dict[str, object]:
        """The state as plain data."""
        return asdict(self.state)

    def load_state_dict(self, state: dict) -> None:
        """Restore what `state_dict` gave."""
        finished = [LayerFinished(**event) for event in state["finished"]]
        self.state = ScheduleState(**{**state, "finished": finished})
