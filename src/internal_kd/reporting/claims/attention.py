"""Claims about the attention of students and teacher (Inspecting the Attention Behavior)."""

import numpy as np
import pandas as pd

from internal_kd.reporting.claims.claim import Claim, Finding
from internal_kd.reporting.claims.estimate import mean_draws
from internal_kd.reporting.claims.evidence import ALL_DATA, Evidence, NoData
from internal_kd.reporting.claims.verdict import more_than

MUCH = 2.0  # times as large: what "much" is taken to mean


def closer_attention(evidence: Evidence, task: str) -> Finding:
    """Holds if the attention of standard KD is more than twice as far from the teacher's as that
    of internal KD.

    The statistic is the ratio of their divergences (Equation 2), each a mean over examples,
    matching layers and seeds.
    """
    names = {"standard": evidence.standard, "internal": evidence.internal}
    frames = [_by_example(evidence, task, name) for name in names.values()]
    common = frames[0].align(frames[1], join="inner")
    if common[0].empty:
        raise NoData("the students have no seed or no example in common")
    values = {
        role: frame.to_numpy(dtype=float).T for role, frame in zip(names, common, strict=True)
    }
    draws = mean_draws(evidence, f"{task} attention", values)
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = draws.estimate(
            lambda models: np.divide(models["standard"], models["internal"]), evidence.confidence
        )
    observed = draws.observed
    remark = (
        f"standard {observed['standard']:.3f}, internal {observed['internal']:.3f} nats; "
        f"the bound is a ratio of {MUCH:g}"
    )
    verdict = more_than(estimate.low, estimate.high, MUCH)
    return Finding("divergence of standard over internal KD", estimate, verdict, remark)


def _by_example(evidence: Evidence, task: str, name: str) -> pd.DataFrame:
    """Divergence of a student, mean over layers: a row per example, a column per seed."""
    if evidence.distances is None:
        raise NoData("no distances from the teacher")
    rows = evidence.distances
    asked = {"task": task, "experiment": name, "layers": evidence.depth, "percent": ALL_DATA}
    for column, value in asked.items():
        rows = rows[rows[column] == value]
    if rows.empty:
        raise NoData(f"no distances of {name} from its teacher")
    return rows.pivot_table(index="index", columns="seed", values="attention_kl", aggfunc="mean")


CLAIMS = (
    Claim(
        "closer-attention",
        "Inspecting the Attention Behavior, Figure 5",
        "The attention of the student of internal KD is much closer to the teacher's.",
        closer_attention,
    ),
)
