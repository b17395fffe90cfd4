"""How a claim is judged: by an effect's interval against a bound, never by a p-value alone."""

import math

HOLDS = "holds"
DOES_NOT_HOLD = "does not hold"
INCONCLUSIVE = "inconclusive"
NO_DATA = "no data"
VERDICTS = (HOLDS, DOES_NOT_HOLD, INCONCLUSIVE, NO_DATA)


def more_than(low: float, high: float, bound: float = 0.0) -> str:
    """The effect is above a bound: it holds if the whole interval is, not if it is all below.

    An interval that touches the bound is inconclusive; without an interval there are no data.
    """
    if math.isnan(low) or math.isnan(high):
        return NO_DATA
    if low > bound:
        return HOLDS
    return DOES_NOT_HOLD if high < bound else INCONCLUSIVE


def at_most(low: float, high: float, bound: float) -> str:
    """The effect is below a bound: `more_than` of the opposite."""
    return more_than(-high, -low, -bound)


def near_zero(low: float, high: float, margin: float) -> str:
    """The effect is zero but for a margin.

    It holds if the whole interval lies within the margin around zero, not if it lies all outside
    on one side.
    """
    upper, lower = at_most(low, high, margin), more_than(low, high, -margin)
    if DOES_NOT_HOLD in (upper, lower):
        return DOES_NOT_HOLD
    return upper if upper == lower else INCONCLUSIVE
