"""How a claim is judged: by the interval of an effect against a bound, from three seeds on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from internal_kd.evaluation.inference import SAME, Effect

HOLDS = "holds"
DOES_NOT_HOLD = "does not hold"
INCONCLUSIVE = "inconclusive"
HINT = "hint"
NO_DATA = "no data"
JUDGED = (HOLDS, DOES_NOT_HOLD, INCONCLUSIVE)
VERDICTS = (*JUDGED, HINT, NO_DATA)


@dataclass(frozen=True)
class Judgement:
    """The verdict of an effect on a claim.

    Attributes:
        value: the effect; of several the smallest.
        low: lower end of its interval; of several effects the smallest lower end.
        high: upper end; of m effects the smallest upper end, each at 1 - (1 - confidence) / m.
        p: of the claim: below 1 - confidence exactly where it holds; NaN where no test is valid.
        tail_p: the p that adjustments for several claims start from.
        n: examples, or seeds where the statistic has no examples.
        seeds: student seeds.
        lead: how far the effect lies on the claimed side of its bound; below 0 on the other side.
        verdict: one of `VERDICTS`.
    """

    value: float
    low: float
    high: float
    p: float
    tail_p: float
    n: int
    seeds: int
    lead: float
    verdict: str

    @property
    def direction(self) -> str:
        """Which way the effect points, whether or not chance alone could have done it."""
        if abs(self.lead) <= SAME:
            return "at the bound of the claim"
        return "for the claim" if self.lead > 0 else "against the claim"


NONE = math.nan
NOTHING = Judgement(NONE, NONE, NONE, NONE, NONE, 0, 0, 0.0, NO_DATA)


def above(effect: Effect, confidence: float, bound: float = 0.0) -> Judgement:
    """The claim that an effect is above a bound.

    It holds if the whole two-sided interval is above the bound, does not hold if all of it is
    below, and is inconclusive in between. Fewer than three seeds, or an effect in which nothing
    varies, give a hint.
    """
    return all_above([effect], confidence, bound)


def all_above(effects: Sequence[Effect], confidence: float, bound: float = 0.0) -> Judgement:
    """The claim that every one of m effects is above a bound.

    It holds if each interval lies above, without a correction, as every one has to pass
    (intersection-union test); its p is the largest one. Any of m could lie below by chance:
    it does not hold if one lies below at a confidence of 1 - (1 - confidence) / m (Bonferroni).
    """
    against = 1 - (1 - confidence) / len(effects)
    smallest = min(effects, key=lambda effect: effect.value)
    low = float(np.min([effect.interval(confidence)[0] for effect in effects]))
    high = float(np.min([effect.interval(against)[1] for effect in effects]))
    p = _largest(effects, bound, confidence)
    verdict = HOLDS if low > bound else DOES_NOT_HOLD if high < bound else INCONCLUSIVE
    return _judgement(smallest, (low, high), p, smallest.value - bound, verdict)


def below(effect: Effect, confidence: float, bound: float) -> Judgement:
    """The claim that an effect is below a bound: `above` of the opposite."""
    found = above(effect.opposite(), confidence, -bound)
    return replace(found, value=effect.value, low=-found.high, high=-found.low)


def near_zero(effect: Effect, confidence: float, margin: float) -> Judgement:
    """The claim that an effect is 0 but for a margin.

    It holds if the effect is above -margin and below the margin (two one-sided tests, the larger p
    of which counts), and does not hold if the whole interval lies beyond one of them.
    """
    low, high = effect.interval(confidence)
    p = _largest((effect, effect.opposite()), -margin, confidence)
    inside, outside = -margin < low and high < margin, low > margin or high < -margin
    verdict = HOLDS if inside else DOES_NOT_HOLD if outside else INCONCLUSIVE
    return _judgement(effect, (low, high), p, margin - abs(effect.value), verdict)


def _largest(effects: Sequence[Effect], bound: float, confidence: float) -> tuple[float, float]:
    """The largest p of effects being above a bound: for this confidence, and for lower levels."""
    p, tail_p = (
        float(np.max([effect.p_above(bound, level) for effect in effects]))
        for level in (1 - confidence, 0.0)
    )
    return p, tail_p


def _judgement(
    effect: Effect,
    ends: tuple[float, float],
    p_values: tuple[float, float],
    lead: float,
    verdict: str,
) -> Judgement:
    """A hint instead of the verdict where there are few seeds or no p."""
    p_values = p_values if effect.can_be_judged else (math.nan, math.nan)
    verdict = HINT if math.isnan(p_values[0]) else verdict
    return Judgement(effect.value, *ends, *p_values, effect.n, effect.seeds, lead, verdict)
