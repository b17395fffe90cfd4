"""Rows of the tidy table of claims: what was found on each task."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from internal_kd.reporting.claims.claim import Claim
from internal_kd.reporting.claims.evidence import Evidence


@dataclass(frozen=True)
class ClaimRow:
    """A claim on a task, see `write.build`; NaN stands for what was not found."""

    claim: str
    family: str
    place: str
    statement: str
    task: str
    statistic: str
    value: float
    low: float
    high: float
    p: float
    p_tail: float
    p_holm: float
    p_bh: float
    p_by: float
    n: int
    seeds: int
    verdict: str
    remark: str


def rows_of(claim: Claim, evidence: Evidence) -> Iterator[ClaimRow]:
    """A row for each finding; what is adjusted over exploratory claims is not known yet."""
    for task, found in claim.findings(evidence):
        judged = found.judgement
        yield ClaimRow(
            claim=claim.name,
            family=claim.family,
            place=claim.place,
            statement=claim.statement,
            task=task,
            statistic=found.statistic,
            value=judged.value,
            low=judged.low,
            high=judged.high,
            p=judged.p,
            p_tail=judged.tail_p,
            p_holm=found.p_holm,
            p_bh=math.nan,
            p_by=math.nan,
            n=judged.n,
            seeds=judged.seeds,
            verdict=judged.verdict,
            remark=found.remark,
        )
