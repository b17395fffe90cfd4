import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from internal_kd.reporting.figures.lines import band, draw_band
from internal_kd.reporting.figures.style import new_figure

SCORES = st.floats(-1, 1)


@pytest.mark.parametrize("values", [[0.5], [0.75, 0.25]])
def test_one_or_two_values_have_a_mean_and_no_spread(values) -> None:
    found = band(values)
    assert (found.mean, found.n) == (0.5, len(values))
    assert all(math.isnan(value) for value in (found.std, found.low, found.high))


def test_three_values_by_hand() -> None:
    """Mean 2, standard deviation 1, standard error 3^-0.5, t = 4.30265 with two degrees."""
    found = band([1.0, 2.0, 3.0])
    assert (found.mean, found.std, found.n) == (2.0, 1.0, 3)
    assert found.high - 2.0 == pytest.approx(4.3026527 / 3**0.5)
    assert 2.0 - found.low == pytest.approx(found.high - 2.0)


@given(st.lists(SCORES, min_size=3, max_size=8))
def test_interval_is_scipys(values) -> None:
    found = band(values)
    error = stats.sem(values)
    if error > 1e-12:
        low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), error)
        assert (found.low, found.high) == pytest.approx((low, high))
    else:
        assert found.low == pytest.approx(found.high)


@given(st.lists(SCORES, min_size=3, max_size=8))
def test_band_is_around_the_mean_in_any_order(values) -> None:
    found = band(values)
    assert found.low - 1e-12 <= found.mean <= found.high + 1e-12
    again = band(values[::-1])
    ends = (found.mean, found.low, found.high)
    assert (again.mean, again.low, again.high) == pytest.approx(ends)


def test_equal_values_have_a_band_without_height() -> None:
    found = band([0.5] * 5)
    assert (found.low, found.mean, found.high) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("nothing", [[], np.array([])])
def test_no_values_are_refused(nothing) -> None:
    with pytest.raises(ValueError, match="at least one value"):
        band(nothing)


NAN = math.nan


@pytest.mark.parametrize(
    ("low", "high", "drawn"),
    [
        ([1.0, 2.0], [2.0, 3.0], "FillBetweenPolyCollection"),
        ([1.0, NAN], [2.0, NAN], "LineCollection"),
        ([NAN, NAN], [NAN, NAN], None),
    ],
)
def test_a_band_is_drawn_where_there_is_one(low, high, drawn) -> None:
    _, axes = new_figure()
    draw_band(axes, [0.0, 1.0], low, high, "#000000")
    assert [type(found).__name__ for found in axes.collections] == [drawn][: drawn is not None]
    if drawn == "LineCollection":
        assert [x.tolist() for x in axes.collections[0].get_segments()] == [[[0, 1], [0, 2]]]
