"""Claims about scores and the number of layers (Performance vs. Parameters)."""

from collections.abc import Mapping, Sequence

import numpy as np

from internal_kd.evaluation.resampling import Floats
from internal_kd.reporting.claims.claim import (
    Claim,
    Finding,
    above,
    all_above,
    below,
    found,
    on_each_task,
)
from internal_kd.reporting.claims.effects import (
    THE_TEACHER,
    Scores,
    difference,
    one_teacher,
    scores,
)
from internal_kd.reporting.claims.evidence import Evidence, NoData
from internal_kd.reporting.runs import RunFolder

PLACE = "Performance vs. Parameters, Figure 2; appendix, Figures 6 to 8"
HALF = (0.45, 0.55)  # share of the teacher's layer parameters that counts as half


def tasks_of_layers(evidence: Evidence) -> Sequence[str]:
    """Tasks on which students have several depths."""
    return evidence.settings.sweep_layers.tasks


def near_teacher_at_half(evidence: Evidence, task: str) -> Finding:
    """Holds if internal KD minus the teacher is above minus the margin, with half its parameters; a
    hint with one teacher.

    Not checked where the student's layers have less than 45 % or more than 55 % of the parameters
    of the teacher's layers.
    """
    teachers = evidence.teachers(task)
    students = evidence.students(task, evidence.internal)
    share = _layer_parameters(students[0]) / _layer_parameters(teachers[0])
    if not HALF[0] <= share <= HALF[1]:
        raise NoData(f"the student has {share:.0%} of the teacher's layer parameters, not half")
    models = scores(evidence, task, {THE_TEACHER: teachers, "internal": students})
    effect = models.effect(difference("internal", THE_TEACHER))
    judged = above(effect, evidence.confidence, -evidence.margin)
    remark = f"{share:.0%} of the layer parameters; margin {evidence.margin:g}"
    return found("internal KD minus teacher", judged, remark, one_teacher(teachers))


def scores_fall_with_layers(evidence: Evidence, task: str) -> Finding:
    """Holds if both students of Table 1 score above the same students with the fewest layers."""
    low, high = _depths(evidence, task)[0], evidence.depth
    if low == high:
        raise NoData("no students with fewer layers")
    models = _scores(evidence, task, [low, high])
    falls = {
        role: models.effect(difference(f"{role} {high}", f"{role} {low}"))
        for role in ("standard", "internal")
    }
    judged = all_above(list(falls.values()), evidence.confidence)
    smaller = min(falls, key=lambda role: falls[role].value)
    remark = f"{high} minus {low} layers; smaller for {smaller} KD"
    return found("smaller loss of both students", judged, remark)


def higher_with_fewer_layers(evidence: Evidence, task: str) -> Finding:
    """Holds if the mean over depths, from two layers to Table 1's, of internal minus standard KD
    is above 0.
    """
    depths = [depth for depth in _depths(evidence, task) if depth > 1]
    if not depths or len(_depths(evidence, task)) < 2:
        raise NoData("no students with fewer layers")
    effect = _scores(evidence, task, depths).effect(lambda models: _mean_gap(models, depths))
    judged = above(effect, evidence.confidence)
    remark = f"layers {', '.join(map(str, depths))}"
    reservations = evidence.pair_unlike()
    return found("mean internal minus standard KD", judged, remark, reservations)


def slower_decay(evidence: Evidence, task: str) -> Finding:
    """Holds if internal minus standard KD is larger with fewer layers than with Table 1's.

    Fewer layers: the mean over depths from two layers to one below Table 1's.
    """
    fewer = [depth for depth in _depths(evidence, task) if 1 < depth < evidence.depth]
    if not fewer:
        raise NoData(f"no students of between 1 and {evidence.depth} layers")
    models = _scores(evidence, task, [*fewer, evidence.depth])
    effect = models.effect(
        lambda models: _mean_gap(models, fewer) - _mean_gap(models, [evidence.depth])
    )
    remark = f"layers {', '.join(map(str, fewer))} against {evidence.depth}"
    judged = above(effect, evidence.confidence)
    return found("growth of the gap", judged, remark, evidence.pair_unlike())


def no_boost_at_one_layer(evidence: Evidence, task: str) -> Finding:
    """Holds if internal minus standard KD with one layer is below the margin."""
    if 1 not in _depths(evidence, task):
        raise NoData("no students of one layer")
    effect = _scores(evidence, task, [1]).effect(difference("internal 1", "standard 1"))
    judged = below(effect, evidence.confidence, evidence.margin)
    remark = f"margin {evidence.margin:g}"
    reservations = evidence.pair_unlike()
    return found("internal minus standard KD, one layer", judged, remark, reservations)


def _depths(evidence: Evidence, task: str) -> list[int]:
    """Depths up to Table 1's with runs of both students, ascending."""
    planned = {*evidence.settings.sweep_layers.counts, evidence.depth}
    runs = [run for run in evidence.runs if run.task == task]
    both = (
        {run.layers for run in runs if run.experiment == name}
        for name in (evidence.standard, evidence.internal)
    )
    found = set.intersection(planned, *both)
    if not found:
        raise NoData("no runs of both students")
    return sorted(depth for depth in found if depth <= evidence.depth)


def _scores(evidence: Evidence, task: str, depths: Sequence[int]) -> Scores:
    """Scores of both students, named by role and depth."""
    models = {
        f"{role} {depth}": runs
        for depth in depths
        for role, runs in evidence.pair(task, layers=depth).items()
    }
    return scores(evidence, task, models)


def _mean_gap(models: Mapping[str, Floats], depths: Sequence[int]) -> Floats:
    gaps = [models[f"internal {depth}"] - models[f"standard {depth}"] for depth in depths]
    return np.asarray(sum(gaps) / len(gaps))


def _layer_parameters(run: RunFolder) -> int:
    return run.metrics.parameters.layers


CLAIMS = (
    Claim(
        "near-teacher-at-half",
        "Performance vs. Parameters, Figure 2",
        "Internal KD scores about as high as the teacher with half its layer parameters.",
        on_each_task(near_teacher_at_half),
    ),
    Claim(
        "scores-fall-with-layers",
        PLACE,
        "Both students score lower with fewer layers.",
        on_each_task(scores_fall_with_layers, tasks_of_layers),
    ),
    Claim(
        "higher-with-fewer-layers",
        PLACE,
        "Internal KD scores higher than standard KD at the same number of layers.",
        on_each_task(higher_with_fewer_layers, tasks_of_layers),
    ),
    Claim(
        "slower-decay",
        PLACE,
        "Internal KD is more resilient: it loses less than standard KD as layers go.",
        on_each_task(slower_decay, tasks_of_layers),
    ),
    Claim(
        "no-boost-at-one-layer",
        "Performance vs. Parameters",
        "With one layer left, internal KD has no advantage any more.",
        on_each_task(no_boost_at_one_layer, tasks_of_layers),
    ),
)
