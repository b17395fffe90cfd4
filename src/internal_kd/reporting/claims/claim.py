"""What a claim of the paper is, what checking it finds, and how it is judged."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np

from internal_kd.evaluation.inference import SAME, SEEDS_FOR_VERDICTS, Effect
from internal_kd.reporting.claims.evidence import Evidence, NoData, tasks_of_table1

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


PRIMARY, EXPLORATORY = "primary", "exploratory"
NO_TASK = "no task of this study has the runs it needs"
NOTHING_VARIES = "nothing varies, so that there is no test"


@dataclass(frozen=True)
class Finding:
    """What a check found on a task.

    Attributes:
        statistic: what the judgement's value is, in words.
        judgement: its value, interval, p and verdict.
        remark: what was compared, why it is only a hint, or what is missing.
        p_holm: p adjusted over the tasks of the primary claim; NaN for all others.
    """

    statistic: str
    judgement: Judgement
    remark: str = ""
    p_holm: float = math.nan


Findings = list[tuple[str, Finding]]
Known = TypeVar("Known")  # what a claim is checked on
Check = Callable[[Evidence, str], Finding]
Tasks = Callable[[Evidence], Sequence[str]]


@dataclass(frozen=True)
class Claim(Generic[Known]):
    """An empirical statement of a paper that can be checked.

    Attributes:
        name: to refer to it.
        place: section, table or figure of the paper.
        statement: in our own words.
        findings: by task; one finding without a task if there is none.
        family: of tests, `PRIMARY` or `EXPLORATORY`.
    """

    name: str
    place: str
    statement: str
    findings: Callable[[Known], Findings]
    family: str = EXPLORATORY


def on_each_task(check: Check, tasks: Tasks = tasks_of_table1) -> Callable[[Evidence], Findings]:
    """The findings of a check that is made task by task, and may raise `NoData`."""

    def findings(evidence: Evidence) -> Findings:
        names = tasks(evidence)
        if not names:
            return [("", no_data(NO_TASK))]
        return [(task, _checked(check, evidence, task)) for task in names]

    return findings


def found(
    statistic: str, judgement: Judgement, remark: str = "", reservations: Iterable[str] = ()
) -> Finding:
    """A finding; where there are reservations, or few seeds, no more than a hint.

    Args:
        statistic: what the value is, in words.
        judgement: of the claim.
        remark: what was compared.
        reservations: why the comparison cannot settle the claim, such as one teacher only.
    """
    reasons = [*_few_seeds(judgement.seeds), *reservations]
    if judgement.verdict == HINT and not reasons:
        reasons = [NOTHING_VARIES]
    if reasons:
        judgement = replace(judgement, verdict=HINT)
        hint = f"{judgement.direction}, a hint only: {', '.join(reasons)}"
        remark = f"{hint}; {remark}" if remark else hint
    return Finding(statistic, judgement, remark)


def no_data(reason: str) -> Finding:
    """The finding where something is missing."""
    return Finding("", NOTHING, f"{NO_DATA}: {reason}")


def _checked(check: Check, evidence: Evidence, task: str) -> Finding:
    try:
        return check(evidence, task)
    except NoData as reason:
        return no_data(str(reason))


def _few_seeds(seeds: int) -> Sequence[str]:
    if seeds >= SEEDS_FOR_VERDICTS:
        return []
    return [f"{seeds} {'seed' if seeds == 1 else 'seeds'}, verdicts need {SEEDS_FOR_VERDICTS}"]
