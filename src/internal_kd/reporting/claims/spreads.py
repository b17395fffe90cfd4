"""The claim that some objectives vary less over starts than others.

A range over starts is a maximum: it lies above 0 by chance alone, and the more so the more a score
varies between seeds. So ranges are not compared themselves, but the gaps between two starts that
they are made of, with a correction for their number.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations, product

from internal_kd.evaluation.comparison import Statistic
from internal_kd.evaluation.inference import Effect, mean_effect
from internal_kd.reporting.claims.claim import (
    DOES_NOT_HOLD,
    HINT,
    HOLDS,
    INCONCLUSIVE,
    Finding,
    Findings,
    Judgement,
    found,
)
from internal_kd.reporting.claims.contrasts import (
    Cells,
    GridEvidence,
    by_level,
    difference,
    losses_of,
    minus,
)
from internal_kd.reporting.grids import MEAN

Pair = tuple[str, str]
Starts = tuple[str, str]
TwoGaps = tuple[Starts, Starts]


@dataclass(frozen=True)
class Gaps:
    """Differences of starts' gaps between two objectives, the second one minus the first one.

    Attributes:
        effects: by the two starts of the first objective and those of the second one: the second
            objective's gap minus the first one's.
    """

    effects: Mapping[TwoGaps, Effect]

    def p_wider(self) -> float:
        """p of the claim that the second objective's range over starts exceeds the first one's.

        It does where a gap of the second one exceeds every gap of the first one, each of which is
        tested (the largest p counts); which gap that is is not known beforehand, so that the
        smallest p is multiplied by their number (Bonferroni).
        """
        return self._p(lambda effect: effect, 1)

    def p_narrower(self) -> float:
        """p of the claim that the first objective's range exceeds the second one's."""
        return self._p(Effect.opposite, 0)

    def _p(self, sign: Callable[[Effect], Effect], side: int) -> float:
        by_gap: dict[Starts, list[float]] = {}
        for gaps, effect in self.effects.items():
            by_gap.setdefault(gaps[side], []).append(sign(effect).p_above(level=0.0))
        largest = [max(found) for found in by_gap.values() if not any(map(math.isnan, found))]
        return min(1.0, len(by_gap) * min(largest)) if largest else math.nan

    @property
    def lead(self) -> float:
        """Range of the second objective minus that of the first one."""
        firsts = {gaps[0] for gaps in self.effects}
        seconds = {gaps[1] for gaps in self.effects}
        return max(min(self.effects[first, second].value for first in firsts) for second in seconds)


def varies_least(evidence: GridEvidence) -> Findings:
    """Holds if each attention objective's range over starts is smaller than that of each other
    objective; see `Gaps`. The largest p counts.
    """
    by_task = {}
    for task in evidence.settings.tasks:
        statistics = _gap_statistics(evidence.objectives(task))
        if statistics:
            by_task[task] = {
                names: {gaps: evidence.effect(task, one) for gaps, one in found.items()}
                for names, found in statistics.items()
            }
    if len(by_task) > 1:
        by_task[MEAN] = _mean_gaps([*by_task.values()])
    return [
        (task, _range_finding(evidence, {names: Gaps(effects) for names, effects in found.items()}))
        for task, found in by_task.items()
    ]


GapEffects = Mapping[Pair, Mapping[TwoGaps, Effect]]


def _gap_statistics(
    groups: Mapping[str, Cells],
) -> dict[Pair, dict[TwoGaps, Statistic]]:
    """Second minus first objective, an attention objective being the first, for any two gaps."""
    gaps = {name: dict(_gaps(cells)) for name, cells in groups.items()}
    attention = [name for name, cells in groups.items() if losses_of(cells) == "attention"]
    others = [name for name in groups if name not in attention]
    return {
        (first, second): {
            (one, other): minus(gaps[second][other], gaps[first][one])
            for one, other in product(gaps[first], gaps[second])
        }
        for first, second in product(attention, others)
        if gaps[first] and set(gaps[first]) == set(gaps[second])
    }


def _gaps(cells: Cells) -> Iterator[tuple[Starts, Statistic]]:
    """The difference between any two starts of an objective, in both orders."""
    by_start = by_level(cells, lambda cell: cell.start)
    for first, second in permutations(by_start, 2):
        yield (first, second), difference(by_start[first], by_start[second], "start")


def _mean_gaps(by_task: Sequence[GapEffects]) -> dict[Pair, dict[TwoGaps, Effect]]:
    shared = [names for names in by_task[0] if all(names in found for found in by_task)]
    return {names: dict(_means_of_gaps([found[names] for found in by_task])) for names in shared}


def _means_of_gaps(
    found: Sequence[Mapping[TwoGaps, Effect]],
) -> Iterator[tuple[TwoGaps, Effect]]:
    for gaps in found[0]:
        if all(gaps in other for other in found):
            yield gaps, mean_effect([other[gaps] for other in found])


def _range_finding(evidence: GridEvidence, gaps: Mapping[Pair, Gaps]) -> Finding:
    smallest = min(gaps, key=lambda names: gaps[names].lead)
    first = next(iter(gaps[smallest].effects.values()))
    p = max(found.p_wider() for found in gaps.values())
    against = len(gaps) * min(found.p_narrower() for found in gaps.values())
    verdict, level = INCONCLUSIVE, 1 - evidence.confidence
    if math.isnan(p) or math.isnan(against) or not first.can_be_judged:
        p, verdict = math.nan, HINT
    elif p < level or against < level:
        verdict = HOLDS if p < level else DOES_NOT_HOLD
    lead = gaps[smallest].lead
    ends = (math.nan, math.nan)
    judged = Judgement(lead, *ends, p, p, first.n, first.seeds, lead, verdict)
    remark = f"{len(gaps)} pairs of objectives; smallest lead: {smallest[1]} against {smallest[0]}"
    return found("smallest range of another objective minus attention's", judged, remark)
