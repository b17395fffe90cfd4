"""Schedules, against a trace of Algorithm 1 made by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from internal_kd.distillation.schedules import (
    Phase,
    Schedule,
    epoch_limits,
    make_phases,
    simultaneous,
)
from internal_kd.specs.records import LayerFinished

# Three layers, at most 3, 2 and 2 epochs, threshold 0.1; cosine losses after each epoch.
#   e  nextLocked before  tau   tau < T  limit reached  finished
#   1  0                  0.50
#   2  0                  0.09  yes                     1 threshold
#   3  1                  0.30
#   4  1                  0.20           yes (2 epochs) 2 limit
#   5  2                  0.05  yes                     3 threshold
#   6  3 = nLayers: only the output loss
COSINES = [0.50, 0.09, 0.30, 0.20, 0.05, None]
FINISHED = [
    None,
    LayerFinished(1, 2, "threshold", 0.09),
    None,
    LayerFinished(2, 4, "limit", 0.20),
    LayerFinished(3, 5, "threshold", 0.05),
    None,
]
STACKED = [(1,), (1,), (1, 2), (1, 2), (1, 2, 3), ()]
PROGRESSIVE = [(1,), (1,), (2,), (2,), (3,), ()]


@pytest.mark.parametrize(("kind", "layers"), [("stacked", STACKED), ("progressive", PROGRESSIVE)])
@pytest.mark.parametrize("output_from", ["start", "end"])
def test_trace_of_algorithm_1(kind, layers, output_from) -> None:
    schedule = Schedule(make_phases(kind, {1: 3, 2: 2, 3: 2}, output_from), 0.1)
    for epoch, cosine in enumerate(COSINES):
        phase = schedule.phase
        assert phase.layers == layers[epoch]
        assert phase.output == (epoch == 5 or output_from == "start")
        assert schedule.end_epoch(cosine) == FINISHED[epoch]
    assert schedule.state.finished == [event for event in FINISHED if event]


def test_simultaneous_never_changes() -> None:
    schedule = Schedule(simultaneous((1, 2)))
    for _ in range(5):
        assert schedule.phase == Phase((1, 2), output=True)
        assert schedule.end_epoch(0.0) is None


def test_without_internal_losses_only_the_output_acts() -> None:
    assert Schedule().phase == Phase((), output=True)


def test_threshold_zero_never_fires() -> None:
    schedule = Schedule(make_phases("stacked", {1: 3}))
    assert [schedule.end_epoch(-1e-8) for _ in range(2)] == [None, None]
    assert schedule.end_epoch(0.0) == LayerFinished(1, 3, "limit", 0.0)


def test_limits_of_the_paper() -> None:
    """50 epochs, six layers: the classification layer is not trained for 40 epochs."""
    limits = epoch_limits(50, 6, 0.8)
    assert sum(limits) == 40
    assert set(limits) <= {6, 7}


@given(epochs=st.integers(2, 100), layers=st.integers(1, 12), fraction=st.floats(0.1, 1.0))
def test_limits_are_even_and_include_every_layer(epochs, layers, fraction) -> None:
    limits = epoch_limits(epochs, layers, fraction)
    assert len(limits) == layers
    assert min(limits) >= 1
    assert max(limits) - min(limits) <= 1
    assert sum(limits) == max(layers, round(epochs * fraction))


@given(
    kind=st.sampled_from(["progressive", "stacked", "two_stage"]),
    cosines=st.lists(st.floats(0, 1), min_size=1, max_size=12),
    stop=st.integers(0, 12),
)
def test_restored_schedule_continues_unchanged(kind, cosines, stop) -> None:
    whole = Schedule(make_phases(kind, {1: 2, 2: 3, 3: 1}, "end"), 0.3)
    first, second = (Schedule(make_phases(kind, {1: 2, 2: 3, 3: 1}, "end"), 0.3) for _ in range(2))
    for cosine in cosines:
        whole.end_epoch(cosine)
    for cosine in cosines[:stop]:
        first.end_epoch(cosine)
    second.load_state_dict(first.state_dict())
    for cosine in cosines[stop:]:
        second.end_epoch(cosine)
    assert second.state == whole.state
    assert second.phase == whole.phase


def test_two_stages() -> None:
    """All layers for the epochs of all turns, whatever the threshold, then the output alone."""
    schedule = Schedule(make_phases("two_stage", {1: 2, 2: 1}, "end"), threshold=0.5)
    seen = []
    for _ in range(5):
        seen.append((schedule.phase.layers, schedule.phase.output))
        assert schedule.end_epoch(0.1) is None
    assert seen == [((1, 2), False)] * 3 + [((), True)] * 2
    assert schedule.state.finished == []


def test_only_layers_with_a_teacher_layer_have_turns() -> None:
    (alone, last) = make_phases("progressive", {3: 4}, "end")
    assert (alone.layers, alone.epochs, alone.finishes, last.layers) == ((3,), 4, 3, ())
    stack = make_phases("stacked", {2: 1, 3: 2}, "end")
    assert [phase.layers for phase in stack] == [(2,), (2, 3), ()]
    assert [phase.finishes for phase in stack] == [2, 3, None]
    assert make_phases("simultaneous", {3: 4}) == simultaneous((3,))


def test_updates_and_restart_are_those_of_a_phase() -> None:
    phases = make_phases("progressive", {1: 1, 2: 1}, "end", "active", "head", restarts=True)
    assert [phase.updates for phase in phases] == ["active", "active", "head"]
    assert [phase.restarts for phase in phases] == [False, False, True]
    assert make_phases("simultaneous", {1: 1, 2: 1}, restarts=True) == simultaneous((1, 2))


def test_the_first_epoch_of_a_phase_is_recognised() -> None:
    schedule = Schedule(make_phases("stacked", {1: 2, 2: 1}, "end"))
    begins = []
    for _ in range(5):
        begins.append(schedule.begins_phase)
        schedule.end_epoch(None)
    assert begins == [True, False, True, True, False]
