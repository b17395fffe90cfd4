"""What a claim of the paper is, what checking it finds, and how a check is run."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from internal_kd.reporting.claims.evidence import Evidence, NoData, tasks_of_table1
from internal_kd.reporting.claims.verdict import NO_DATA

ONE_SEED = "one seed: the spread between seeds is not known"
NO_INTERVAL = "no data: the statistic has no interval"


@dataclass(frozen=True)
class Estimate:
    """A statistic with the ends of its interval, from n examples and a number of seeds."""

    value: float
    low: float
    high: float
    n: int
    seeds: int


@dataclass(frozen=True)
class Finding:
    """What a check found on a task.

    Attributes:
        statistic: what `estimate` is, in words.
        estimate: NaN where there are no data.
        verdict: one of `VERDICTS`.
        remark: what was compared, or why there are no data.
    """

    statistic: str
    estimate: Estimate
    verdict: str
    remark: str = ""


@dataclass(frozen=True)
class Claim:
    """An empirical statement of the paper that can be checked.

    Attributes:
        name: to refer to it.
        place: section, table or figure of the paper.
        statement: in our own words.
        check: finds what there is to say on a task; raises `NoData` where something lacks.
        tasks: those on which the claim can be checked.
    """

    name: str
    place: str
    statement: str
    check: Callable[[Evidence, str], Finding]
    tasks: Callable[[Evidence], Sequence[str]] = tasks_of_table1


def findings(claim: Claim, evidence: Evidence) -> list[tuple[str, Finding]]:
    """What the check finds on each task; one finding without a task if it has none."""
    tasks = claim.tasks(evidence)
    if not tasks:
        return [("", _no_data("no task of this study has the runs it needs"))]
    return [(task, _checked(claim, evidence, task)) for task in tasks]


def _checked(claim: Claim, evidence: Evidence, task: str) -> Finding:
    try:
        found = claim.check(evidence, task)
    except NoData as reason:
        return _no_data(str(reason))
    if found.verdict == NO_DATA and not found.remark.startswith("no data"):
        return _with_remark(found, NO_INTERVAL, found.remark)
    if found.estimate.seeds == 1 and found.verdict != NO_DATA:
        return _with_remark(found, found.remark, ONE_SEED)
    return found


def _with_remark(found: Finding, *parts: str) -> Finding:
    return replace(found, remark="; ".join(part for part in parts if part))


def _no_data(reason: str) -> Finding:
    nothing = Estimate(math.nan, math.nan, math.nan, 0, 0)
    return Finding("", nothing, NO_DATA, f"no data: {reason}")
