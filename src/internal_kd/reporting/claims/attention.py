"""Claims about the attention of students and teacher (Inspecting the Attention Behavior)."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from internal_kd.evaluation.comparison import mean_effect_of
from internal_kd.evaluation.resampling import Floats
from internal_kd.reporting.claims.claim import Claim, Finding, Judgement, above, found, on_each_task
from internal_kd.reporting.claims.evidence import ALL_DATA, Evidence, NoData

MUCH = 2.0  # times as large: what "much" is taken to mean


def closer_attention(evidence: Evidence, task: str) -> Finding:
    """Holds if the attention of standard KD is more than twice as far from the teacher's as that
    of internal KD.

    The statistic is the ratio of their divergences (Equation 2), each a mean over examples and
    matching layers, as the geometric mean over seeds. It is tested on its logarithm, on which
    twice as far and half as far are equally large.
    """
    values = _divergences(evidence, task)
    means = {role: float(found.mean()) for role, found in values.items()}
    remark = f"standard {means['standard']:.3f}, internal {means['internal']:.3f} nats"
    if min(rows.mean(axis=1).min() for rows in values.values()) <= 0:
        raise NoData(f"a divergence of 0 has no ratio; {remark}")
    rng = evidence.rng(f"{task} attention")
    effect = mean_effect_of(values, _log_ratio, evidence.settings.resamples, rng)
    judged = _as_ratio(above(effect, evidence.confidence, math.log(MUCH)))
    remark = f"{remark}; the bound is a ratio of {MUCH:g}"
    reservations = evidence.pair_unlike()
    return found("divergence of standard over internal KD", judged, remark, reservations)


def _log_ratio(models: Mapping[str, Floats]) -> Floats:
    return np.asarray(np.log(models["standard"]) - np.log(models["internal"]))


def _as_ratio(judged: Judgement) -> Judgement:
    """Value and interval of a logarithm as those of the ratio."""
    return replace(
        judged, value=math.exp(judged.value), low=math.exp(judged.low), high=math.exp(judged.high)
    )


def _divergences(evidence: Evidence, task: str) -> dict[str, Floats]:
    """Divergences of "standard" and "internal" KD on the same examples and seeds, [seeds, n]."""
    names = {"standard": evidence.standard, "internal": evidence.internal}
    frames = [_by_example(evidence, task, name) for name in names.values()]
    common = frames[0].align(frames[1], join="inner")
    if common[0].empty:
        raise NoData("the students have no seed or no example in common")
    return {role: frame.to_numpy(dtype=float).T for role, frame in zip(names, common, strict=True)}


def _by_example(evidence: Evidence, task: str, name: str) -> pd.DataFrame:
    """Divergence of a student, mean over layers: a row per example, a column per seed."""
    if evidence.distances is None:
        raise NoData("no distances from the teacher")
    rows = evidence.distances
    chosen = {"task": task, "experiment": name, "layers": evidence.depth, "percent": ALL_DATA}
    for column, value in chosen.items():
        rows = rows[rows[column] == value]
    if rows.empty:
        raise NoData(f"no distances of {name} from its teacher")
    return rows.groupby(["index", "seed"])["attention_kl"].mean().unstack()


CLAIMS = (
    Claim(
        "closer-attention",
        "Inspecting the Attention Behavior, Figure 5",
        "The attention of the student of internal KD is much closer to the teacher's.",
        on_each_task(closer_attention),
    ),
)
