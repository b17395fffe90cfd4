"""The primary claim: internal KD scores higher than standard KD, on each task and on average."""

from collections.abc import Mapping
from dataclasses import replace

from internal_kd.evaluation.inference import Effect, family, holm, mean_effect
from internal_kd.reporting.claims.claim import (
    DOES_NOT_HOLD,
    HOLDS,
    INCONCLUSIVE,
    JUDGED,
    PRIMARY,
    Claim,
    Finding,
    Findings,
    Judgement,
    above,
    found,
    no_data,
)
from internal_kd.reporting.claims.effects import difference, scores
from internal_kd.reporting.claims.evidence import Evidence, NoData, tasks_of_table1

MEAN = "mean"  # stands for a task: the mean over all of them


def internal_beats_standard(evidence: Evidence) -> Findings:
    """Holds on a task if the score of internal KD minus that of standard KD is above 0, and does
    not hold if it is below, with a two-sided p below 1 - confidence after Holm's adjustment over
    tasks.

    The mean over tasks has a row, and a test, of its own.
    """
    missing, effects = {}, {}
    for task in tasks_of_table1(evidence):
        try:
            effects[task] = _effect(evidence, task)
        except NoData as reason:
            missing[task] = no_data(str(reason))
    known = _over_tasks(evidence, effects)
    rows = [(task, (known | missing)[task]) for task in tasks_of_table1(evidence)]
    return rows + ([(MEAN, _mean(evidence, effects))] if len(effects) > 1 else [])


def _effect(evidence: Evidence, task: str) -> Effect:
    models = scores(evidence, task, evidence.pair(task))
    return models.effect(difference("internal", "standard"))


def _over_tasks(evidence: Evidence, effects: Mapping[str, Effect]) -> dict[str, Finding]:
    """The findings on each task, adjusted over those with a verdict."""
    single = {task: _finding(evidence, effect) for task, effect in effects.items()}
    tasks = [task for task, one in single.items() if one.judgement.verdict in JUDGED]
    judged = [single[task].judgement for task in tasks]
    adjusted = holm(family([one.p for one in judged], [one.tail_p for one in judged]))
    level = 1 - evidence.confidence
    return single | {
        task: _decided(single[task], float(p), level)
        for task, p in zip(tasks, adjusted, strict=True)
    }


def _decided(finding: Finding, p: float, level: float) -> Finding:
    """The finding with the verdict by its adjusted p."""
    verdict = INCONCLUSIVE
    if p < level:
        verdict = HOLDS if finding.judgement.value > 0 else DOES_NOT_HOLD
    return replace(finding, judgement=replace(finding.judgement, verdict=verdict), p_holm=p)


def _mean(evidence: Evidence, effects: Mapping[str, Effect]) -> Finding:
    titles = ", ".join(evidence.settings.task_specs[task].title for task in effects)
    return _finding(evidence, mean_effect(list(effects.values())), titles)


def _finding(evidence: Evidence, effect: Effect, remark: str = "") -> Finding:
    judged = _two_sided(above(effect, evidence.confidence), effect)
    reservations = evidence.pair_unlike()
    return found("internal minus standard KD", judged, remark, reservations)


def _two_sided(judgement: Judgement, effect: Effect) -> Judgement:
    """With the p of a difference of either sign, as in the table of significance."""
    if judgement.verdict not in JUDGED:
        return judgement
    return replace(judgement, p=effect.p(), tail_p=effect.tail_p)


CLAIMS = (
    Claim(
        "internal-beats-standard",
        "Abstract; Development and Evaluation Results, Table 1",
        "Internal KD (Exp3.2) scores higher than soft-label KD on each task.",
        internal_beats_standard,
        PRIMARY,
    ),
)
