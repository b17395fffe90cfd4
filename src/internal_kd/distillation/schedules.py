"""Which losses act in which epoch, as a list of phases, and the state machine that goes through it.

All layers at once, progressive (PID), stacked (SID, Algorithm 1) and two stages differ in their
phases alone. The machine starts with the first phase, is given the mean cosine loss after each
epoch, and moves on when that falls below a threshold or when the phase has had its epochs. Its
state is plain data, so that it can be saved and restored.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

import msgspec

from internal_kd.specs.records import LayerFinished, Reason

Kind = Literal["simultaneous", "progressive", "stacked", "two_stage"]
Updates = Literal["all", "active", "head"]


@dataclass(frozen=True)
class Phase:
    """Epochs in which the same losses act.

    Attributes:
        layers: one-based student layers whose internal objectives act.
        output: whether the output objectives act.
        epochs: that it lasts at most; None for all that are left.
        finishes: the layer whose distillation ends with it; None where none does.
        updates: what is updated: `all` parameters that the losses reach; those of the `active`
            layers, the embeddings together with the first layer; or the `head` (pooler and
            classifier).
        restarts: whether warm-up and decay of the learning rate restart with it.
    """

    layers: tuple[int, ...]
    output: bool
    epochs: int | None = None
    finishes: int | None = None
    updates: Updates = "all"
    restarts: bool = False

    @property
    def name(self) -> str:
        """As the history has it."""
        return f"layers {' '.join(map(str, self.layers))}" if self.layers else "output"


Turns = Mapping[int, int]  # epochs that each layer gets at most, bottom layer first


def simultaneous(layers: Iterable[int]) -> tuple[Phase, ...]:
    """All layers and the output in every epoch; with no layers the output alone."""
    return (Phase(tuple(layers), output=True),)


def progressive(turns: Turns, output: bool) -> tuple[Phase, ...]:
    """One layer at a time, bottom first, and then the output alone (PID).

    Args:
        turns: of the layers.
        output: whether the output objectives act from the start.
    """
    return (*(Phase((layer,), output, epochs, layer) for layer, epochs in turns.items()), FINAL)


def stacked(turns: Turns, output: bool) -> tuple[Phase, ...]:
    """All layers up to the one in turn, bottom first, and then the output alone.

    SID, Algorithm 1: line 9 stacks the layers, `lim` of line 24 is a phase's epochs.
    """
    layers = tuple(turns)
    stacks = (
        Phase(layers[: place + 1], output, epochs, layer)
        for place, (layer, epochs) in enumerate(turns.items())
    )
    return (*stacks, FINAL)


def two_stage(turns: Turns, output: bool) -> tuple[Phase, ...]:
    """All layers for as many epochs as their turns would take, and then the output alone."""
    return (Phase(tuple(turns), output, sum(turns.values())), FINAL)


FINAL = Phase((), output=True)
STAGED: dict[str, Callable[[Turns, bool], tuple[Phase, ...]]] = {
    "progressive": progressive,
    "stacked": stacked,
    "two_stage": two_stage,
}


def make_phases(
    kind: Kind,
    turns: Turns,
    output_from: Literal["start", "end"] = "start",
    internal_updates: Literal["all", "active"] = "all",
    output_updates: Literal["all", "head"] = "all",
    restarts: bool = False,
) -> tuple[Phase, ...]:
    """The phases of a kind of schedule.

    Args:
        kind: of the schedule.
        turns: of the student's layers that have a teacher layer, see `epoch_limits`.
        output_from: whether the output objectives act from the start or once layers are done.
        internal_updates: what is updated before the last phase.
        output_updates: what is updated in the last phase.
        restarts: whether the learning rate restarts in the last phase.
    """
    if kind == "simultaneous":
        return simultaneous(turns)
    *internal, final = STAGED[kind](turns, output_from == "start")
    last = replace(final, updates=output_updates, restarts=restarts)
    return (*(replace(phase, updates=internal_updates) for phase in internal), last)


def epoch_limits(epochs: int, layers: int, internal_fraction: float) -> tuple[int, ...]:
    """Epochs for each layer: an even share of the internal epochs, at least one each.

    The paper does not train the classification layer "until around epoch 40" of 50, a fraction of
    0.8.
    """
    internal = max(layers, round(epochs * internal_fraction))
    ends = [round(internal * (layer + 1) / layers) for layer in range(layers)]
    return tuple(end - start for start, end in zip([0, *ends], ends, strict=False))


@dataclass
class ScheduleState:
    """`phase` counts from 0: the zero-based layer in turn, Algorithm 1's `TS.nextLocked`."""

    phase: int = 0
    epoch: int = 0
    epochs_in_phase: int = 0
    finished: list[LayerFinished] = field(default_factory=list)


class Schedule:
    """State machine over phases.

    Args:
        phases: one after the other; the last one lasts to the end.
        threshold: the mean over batches of the summed cosine loss below which a layer is finished;
            0 never.
    """

    def __init__(self, phases: tuple[Phase, ...] = (FINAL,), threshold: float = 0.0) -> None:
        self.phases = phases
        self.threshold = threshold
        self.state = ScheduleState()

    @property
    def phase(self) -> Phase:
        """What acts in the coming epoch."""
        return self.phases[self.state.phase]

    @property
    def begins_phase(self) -> bool:
        """Whether the coming epoch is the first one of its phase."""
        return self.state.epochs_in_phase == 0

    def end_epoch(self, cosine: float | None) -> LayerFinished | None:
        """Count an epoch and move on if the phase is over (Algorithm 1, lines 24 and 25).

        Args:
            cosine: mean over the epoch's batches of the summed cosine loss, tau normalised per
                batch; None where no cosine loss acts.

        Returns:
            The layer that is finished, if one is.
        """
        state = self.state
        phase = self.phases[state.phase]
        state.epoch += 1
        state.epochs_in_phase += 1
        reason = self._reason_to_move_on(phase, cosine)
        if reason is None:
            return None
        state.phase, state.epochs_in_phase = state.phase + 1, 0
        if phase.finishes is None:
            return None
        event = LayerFinished(phase.finishes, state.epoch, reason, cosine)
        state.finished.append(event)
        return event

    def _reason_to_move_on(self, phase: Phase, cosine: float | None) -> Reason | None:
        finishing = phase.finishes is not None and self.threshold > 0 and cosine is not None
        if finishing and cosine is not None and cosine < self.threshold:
            return "threshold"
        if phase.epochs is not None and self.state.epochs_in_phase >= phase.epochs:
            return "limit"
        return None

    def state_dict(self) -> dict[str, object]:
        """The state as plain data."""
        return asdict(self.state)

    def load_state_dict(self, state: Mapping[str, object]) -> None:
        """Restore what `state_dict` gave."""
        self.state = msgspec.convert(state, ScheduleState)
