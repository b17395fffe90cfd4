import math

import pytest

from internal_kd.reporting.claims.verdict import at_most, more_than, near_zero


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.01, 0.2, "holds"),
        (-0.2, -0.01, "does not hold"),
        (-0.1, 0.1, "inconclusive"),
        (0.0, 0.0, "inconclusive"),
        (math.nan, 0.1, "no data"),
    ],
)
def test_more_than(low, high, expected):
    assert more_than(low, high) == expected
    assert more_than(low + 1, high + 1, bound=1.0) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-0.3, 0.005, "holds"),
        (0.02, 0.03, "does not hold"),
        (0.0, 0.02, "inconclusive"),
        (math.nan, math.nan, "no data"),
    ],
)
def test_at_most(low, high, expected):
    assert at_most(low, high, 0.01) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-0.005, 0.009, "holds"),
        (0.02, 0.03, "does not hold"),
        (-0.03, -0.02, "does not hold"),
        (-0.02, 0.005, "inconclusive"),
        (-0.02, 0.02, "inconclusive"),
        (math.nan, math.nan, "no data"),
    ],
)
def test_near_zero(low, high, expected):
    assert near_zero(low, high, 0.01) == expected
