"""What a claim of the paper is, what checking it finds, and how a check is run."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from internal_kd.evaluation.inference import SEEDS_FOR_VERDICTS
from internal_kd.reporting.claims.evidence import Evidence, NoData, tasks_of_table1
from internal_kd.reporting.claims.verdict import HINT, NO_DATA, NOTHING, Judgement

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
Check = Callable[[Evidence, str], Finding]
Tasks = Callable[[Evidence], Sequence[str]]


@dataclass(frozen=True)
class Claim:
    """An empirical statement of the paper that can be checked.

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
    findings: Callable[[Evidence], Findings]
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
