"""Mean and spread over seeds, as bands of figures show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import stdtrit

Kind = Literal["none", "range", "95% interval"]


@dataclass(frozen=True)
class Band:
    """Mean of n values, with the lower and upper end of what is shown around it.

    `kind` says what that is: nothing for one value, the range of two, and from three values on the
    95 % t-interval of the mean.
    """

    mean: float
    low: float
    high: float
    n: int
    kind: Kind


def band(values: Sequence[float]) -> Band:
    """Summarise one value per seed.

    The t-interval of two values is 12.7 standard errors wide on either side and says nothing; the
    range is shown instead.

    Raises:
        ValueError: no values.
    """
    if not len(values):
        raise ValueError("a band needs at least one value")
    n, mean = len(values), float(np.mean(values))
    if n < 3:
        kind: Kind = "range" if n == 2 else "none"
        return Band(mean, float(min(values)), float(max(values)), n, kind)
    half = float(stdtrit(n - 1, 0.975) * np.std(values, ddof=1) / np.sqrt(n))
    return Band(mean, mean - half, mean + half, n, "95% interval")
