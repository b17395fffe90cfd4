"""Claims about scores and the size of the training data (The Impact of Data Size)."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from internal_kd.evaluation.resampling import Floats
from internal_kd.reporting.claims.claim import (
    Claim,
    Finding,
    above,
    all_above,
    found,
    near_zero,
    on_each_task,
)
from internal_kd.reporting.claims.effects import Scores, difference, scores
from internal_kd.reporting.claims.evidence import ALL_DATA, Evidence, NoData

PLACE = "The Impact of Data Size, Figure 3; appendix, Figure 9"


def tasks_of_sizes(evidence: Evidence) -> Sequence[str]:
    """Tasks on which students see parts of the data."""
    return evidence.settings.sweep_sizes.tasks


def gap_grows(evidence: Evidence, task: str) -> Finding:
    """Holds if the gap between internal and standard KD grows each time the data are halved.

    The statistic is minus the slope of the least-squares line of the gap over the logarithm (to
    base 2) of the share of the data; it holds if that is above 0.
    """
    sizes = _percents(evidence, task)
    if len(sizes) < 2:
        raise NoData("both students have runs on one share of the data only")
    weights = _slope_weights([math.log2(size) for size in sizes])

    def growth(models: Mapping[str, Floats]) -> Floats:
        gaps = [models[f"internal {size}"] - models[f"standard {size}"] for size in sizes]
        return np.asarray(-sum(weight * gap for weight, gap in zip(weights, gaps, strict=True)))

    judged = above(_scores(evidence, task, sizes).effect(growth), evidence.confidence)
    remark = f"{_listed(sizes)} % of the data"
    return found("growth of the gap per halving", judged, remark, evidence.pair_unlike())


def higher_at_every_size(evidence: Evidence, task: str) -> Finding:
    """Holds if internal minus standard KD is above 0 at each share of the data."""
    sizes = _percents(evidence, task)
    if len(sizes) < 2:
        raise NoData("both students have runs on one share of the data only")
    models = _scores(evidence, task, sizes)
    gaps = {
        size: models.effect(difference(f"internal {size}", f"standard {size}")) for size in sizes
    }
    judged = all_above(list(gaps.values()), evidence.confidence)
    smallest = min(gaps, key=lambda size: gaps[size].value)
    remark = f"{_listed(sizes)} % of the data; smallest at {smallest} %"
    reservations = evidence.pair_unlike()
    return found("smallest internal minus standard KD", judged, remark, reservations)


def small_gap_with_all_data(evidence: Evidence, task: str) -> Finding:
    """Holds if internal minus standard KD on all data is within the margin around 0."""
    models = _scores(evidence, task, [ALL_DATA])
    effect = models.effect(difference(f"internal {ALL_DATA}", f"standard {ALL_DATA}"))
    judged = near_zero(effect, evidence.confidence, evidence.margin)
    remark = f"margin {evidence.margin:g}"
    reservations = evidence.pair_unlike()
    return found("internal minus standard KD, all data", judged, remark, reservations)


def _percents(evidence: Evidence, task: str) -> list[int]:
    """Shares of the data with runs of both students, ascending."""
    runs = [run for run in evidence.runs if run.task == task and run.layers == evidence.depth]
    both = (
        {run.percent for run in runs if run.experiment == name}
        for name in (evidence.standard, evidence.internal)
    )
    return sorted(set.intersection(set(evidence.settings.sweep_sizes.percents), *both))


def _scores(evidence: Evidence, task: str, sizes: Sequence[int]) -> Scores:
    """Scores of both students, named by role and share."""
    models = {
        f"{role} {size}": runs
        for size in sizes
        for role, runs in evidence.pair(task, percent=size).items()
    }
    return scores(evidence, task, models)


def _slope_weights(x: Sequence[float]) -> list[float]:
    """Weights of y in the slope of the least-squares line over x."""
    middle = sum(x) / len(x)
    spread = sum((value - middle) ** 2 for value in x)
    return [(value - middle) / spread for value in x]


def _listed(sizes: Sequence[int]) -> str:
    return ", ".join(map(str, sizes))


CLAIMS = (
    Claim(
        "gap-grows-with-less-data",
        PLACE,
        "The lead of internal KD over standard KD grows as the training data shrink.",
        on_each_task(gap_grows, tasks_of_sizes),
    ),
    Claim(
        "higher-at-every-size",
        PLACE,
        "Internal KD scores higher than standard KD whatever the size of the training data.",
        on_each_task(higher_at_every_size, tasks_of_sizes),
    ),
    Claim(
        "small-gap-with-all-data",
        "The Impact of Data Size, Figure 3",
        "With all training data the two methods are close.",
        on_each_task(small_gap_with_all_data, tasks_of_sizes),
    ),
)
