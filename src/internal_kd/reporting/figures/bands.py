"""Mean and spread over seeds, as figures show them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from scipy.special import stdtrit

from internal_kd.evaluation.inference import SEEDS_FOR_VERDICTS
from internal_kd.reporting.figures.style import BAND_ALPHA

SEEDS_FOR_BANDS = SEEDS_FOR_VERDICTS  # fewer are shown one by one
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Band:
    """Mean of n values, one per seed, with its uncertainty from three values on.

    Attributes:
        mean: of the values.
        std: sample standard deviation; NaN for one or two values.
        low: lower end of the 95 % t-interval of the mean; NaN for one or two values.
        high: its upper end.
        n: number of values.
    """

    mean: float
    std: float
    low: float
    high: float
    n: int


def band(values: Sequence[float]) -> Band:
    """Summarise one value per seed.

    Raises:
        ValueError: no values.
    """
    if not len(values):
        raise ValueError("a band needs at least one value")
    n, mean = len(values), float(np.mean(values))
    if n < SEEDS_FOR_BANDS:
        return Band(mean, math.nan, math.nan, math.nan, n)
    std = float(np.std(values, ddof=1))
    half = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2)) * std / math.sqrt(n)
    return Band(mean, std, mean - half, mean + half, n)


def draw_band(
    axes: Axes, places: Sequence[float], low: Sequence[float], high: Sequence[float], color: str
) -> None:
    """A shaded band between two curves; as bars where it would be interrupted or a single point.

    Args:
        places: ascending.
        low: lower ends, in the units of the y axis; NaN where there is no band.
        high: upper ends.
        color: of the line that the band belongs to.
    """
    known = ~np.isnan(np.asarray(low, dtype=float))
    if known.all() and len(known) > 1:
        axes.fill_between(places, low, high, color=color, alpha=BAND_ALPHA, linewidth=0)
    elif known.any():
        ends = (np.asarray(values, dtype=float)[known] for values in (places, low, high))
        axes.vlines(*ends, color=color, alpha=2 * BAND_ALPHA, linewidth=4)
