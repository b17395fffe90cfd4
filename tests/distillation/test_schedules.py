"""Schedules, against a trace of Algorithm 1 made by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from internal_kd.distillation.schedules import LayerFinished, Schedule, Stage, epoch_limits

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
    schedule = Schedule(kind, 3, (3, 2, 2), 0.1, output_from)
    for epoch, cosine in enumerate(COSINES):
        final = epoch == 5
        output = final or output_from == "start"
        assert schedule.stage() == Stage(layers[epoch], output, final)
        assert schedule.end_epoch(cosine) == FINISHED[epoch]
    assert schedule.state.finished == [event for event in FINISHED if event]


def test_simultaneous_never_changes() -> None:
    schedule = Schedule("simultaneous", 2)
    for _ in range(5):
        assert schedule.stage() == Stage((1, 2), output=True, final=False)
        assert schedule.end_epoch(0.0) is None


def test_without_internal_losses_only_the_output_acts() -> None:
    assert Schedule().stage() == Stage((), output=True, final=False)


def test_threshold_zero_never_fires() -> None:
    schedule = Schedule("stacked", 1, (3,), 0.0)
    assert [schedule.end_epoch(-1e-8) for _ in range(2)] == [None, None]
    assert schedule.end_epoch(0.0) == LayerFinished(1, 3, "limit", 0.0)


def test_limits_of_the_paper() -> None:
    """50 epochs, six layers: the classification layer is left alone for 40 epochs."""
    limits = epoch_limits(50, 6, 0.8)
    assert sum(limits) == 40
    assert set(limits) <= {6, 7}


@given(epochs=st.integers(2, 100), layers=st.integers(1, 12), fraction=st.floats(0.1, 1.0))
def test_limits_are_even_and_leave_no_layer_out(epochs, layers, fraction) -> None:
    limits = epoch_limits(epochs, layers, fraction)
    assert len(limits) == layers
    assert min(limits) >= 1
    assert max(limits) - min(limits) <= 1
    assert sum(limits) == max(layers, round(epochs * fraction))


@given(
    kind=st.sampled_from(["progressive", "stacked"]),
    cosines=st.lists(st.floats(0, 1), min_size=1, max_size=12),
    stop=st.integers(0, 12),
)
def test_restored_schedule_goes_on_as_if_nothing_had_happened(kind, cosines, stop) -> None:
    whole = Schedule(kind, 3, (2, 3, 1), 0.3, "end")
    first, second = (Schedule(kind, 3, (2, 3, 1), 0.3, "end") for _ in range(2))
    for cosine in cosines:
        whole.end_epoch(cosine)
    for cosine in cosines[:stop]:
        first.end_epoch(cosine)
    second.load_state_dict(first.state_dict())
    for cosine in cosines[stop:]:
        second.end_epoch(cosine)
    assert second.state == whole.state
    assert second.stage() == whole.stage()
