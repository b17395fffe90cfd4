"""Exploratory claims about the scores of Tables 1 and 2."""

from collections.abc import Callable, Mapping

from internal_kd.evaluation.inference import Effect
from internal_kd.reporting.claims.claim import Claim, Finding, above, all_above, found, on_each_task
from internal_kd.reporting.claims.effects import THE_TEACHER, difference, one_teacher, scores
from internal_kd.reporting.claims.evidence import NO_KD, Evidence, NoData
from internal_kd.reporting.selection import best_experiment

CONFIDENCE_OF_PAPER = 0.999  # p below 1e-3
RESULTS = "Development and Evaluation Results"


def standard_beats_none(evidence: Evidence, task: str) -> Finding:
    """Holds if standard KD minus the student without a teacher (Exp1.1) is above 0."""
    return _beats_none(evidence, task, evidence.standard, "standard KD minus no KD")


def internal_beats_none(evidence: Evidence, task: str) -> Finding:
    """Holds if internal KD minus the student without a teacher (Exp1.1) is above 0."""
    return _beats_none(evidence, task, evidence.internal, "internal minus no KD")


def every_internal_beats_standard(evidence: Evidence, task: str) -> Finding:
    """Holds if every Exp3.x minus the standard KD with the same head is above 0."""
    effects, remark = _internal_effects(evidence, task, evidence.baseline)
    judged = all_above(list(effects.values()), evidence.confidence)
    return found("smallest internal minus standard KD", judged, remark)


def all_significant(evidence: Evidence, task: str) -> Finding:
    """Holds if the accuracy of every Exp3.x minus that of the standard KD with the same head has a
    99.9 % interval above 0.

    That is p < 1e-3 with the right sign, over examples and seeds; the paper's test is one over
    examples alone.
    """
    effects, remark = _internal_effects(evidence, task, evidence.baseline, "accuracy")
    judged = all_above(list(effects.values()), CONFIDENCE_OF_PAPER)
    return found("smallest accuracy difference, 99.9 % interval", judged, remark)


def every_internal_beats_none(evidence: Evidence, task: str) -> Finding:
    """Holds if every Exp3.x with the head of the student without a teacher (Exp1.1), minus that
    student, is above 0.
    """
    none = evidence.name_of(NO_KD)
    same = [name for name in evidence.internal_names() if not evidence.across_heads(name, none)]
    effects, remark = _internal_effects(evidence, task, dict.fromkeys(same, none).get)
    judged = all_above(list(effects.values()), evidence.confidence)
    return found("smallest internal minus no KD", judged, remark)


def selected_beats_standard_on_test(evidence: Evidence, task: str) -> Finding:
    """Holds if the test score of the Exp3.x that is best on the development set, minus that of the
    standard KD with the same head, is above 0.
    """
    candidates = evidence.known(task, evidence.internal_names())
    every = [run for runs in candidates.values() for run in runs]
    best = best_experiment(every, task, candidates)
    if best is None:
        raise NoData("no runs of an internal KD")
    other = evidence.baseline(best) or evidence.standard
    effect = _difference(evidence, task, best, other, "test")
    judged = above(effect, evidence.confidence)
    reservations = evidence.unlike_starts(best, other)
    remark = f"best internal KD: {best}, against {other}"
    return found("best internal minus standard KD, test set", judged, remark, reservations)


def teacher_beats_students(evidence: Evidence, task: str) -> Finding:
    """Holds if the teacher minus every student of Table 1 is above 0; a hint with one teacher."""
    students = evidence.known(task, evidence.student_names())
    if not students:
        raise NoData("no runs of a student")
    teachers = evidence.teachers(task)
    models = scores(evidence, task, {THE_TEACHER: teachers} | students)
    effects = {name: models.effect(difference(THE_TEACHER, name)) for name in students}
    judged = all_above(list(effects.values()), evidence.confidence)
    return found("smallest lead of the teacher", judged, _over(effects), one_teacher(teachers))


def _beats_none(evidence: Evidence, task: str, name: str, statistic: str) -> Finding:
    none = evidence.name_of(NO_KD)
    judged = above(_difference(evidence, task, name, none), evidence.confidence)
    return found(statistic, judged, reservations=evidence.across_heads(name, none))


def _difference(
    evidence: Evidence, task: str, first: str, second: str, split: str = "validation"
) -> Effect:
    models = {name: evidence.students(task, name) for name in (first, second)}
    return scores(evidence, task, models, split).effect(difference(first, second))


def _internal_effects(
    evidence: Evidence,
    task: str,
    other_of: Callable[[str], str | None],
    metric: str | None = None,
) -> tuple[dict[str, Effect], str]:
    """Each internal KD minus its counterpart; those without one are excluded.

    Returns:
        The effects by name, and a remark.

    Raises:
        NoData: there is none, or a student to compare with has no runs.
    """
    candidates = evidence.known(task, evidence.internal_names())
    if not candidates:
        raise NoData("no runs of an internal KD")
    others = {name: other_of(name) for name in candidates}
    pairs = {name: other for name, other in others.items() if other and other != name}
    if not pairs:
        raise NoData("no internal KD has a counterpart with the same start")
    models = {name: candidates[name] for name in pairs}
    models |= {other: evidence.students(task, other) for other in pairs.values()}
    compared = scores(evidence, task, models, metric=metric)
    effects = {name: compared.effect(difference(name, other)) for name, other in pairs.items()}
    excluded = [name for name, other in others.items() if other is None]
    remark = _over(effects)
    if excluded:
        remark += f"; excluded, without a counterpart of the same start: {', '.join(excluded)}"
    return effects, remark


def _over(effects: Mapping[str, Effect]) -> str:
    name = min(effects, key=lambda key: effects[key].value)
    return f"over {', '.join(effects)}; smallest for {name}"


CLAIMS = (
    Claim(
        "every-internal-beats-standard",
        f"{RESULTS}, Table 1",
        "Every form of internal KD scores higher than soft-label KD with the same head.",
        on_each_task(every_internal_beats_standard),
    ),
    Claim(
        "all-significant",
        "Experimental Setup",
        "Every internal KD differs from standard KD with p < 0.001 in a t-test.",
        on_each_task(all_significant),
    ),
    Claim(
        "standard-beats-none",
        RESULTS,
        "Soft-label KD scores higher than the same student without a teacher (not always: CoLA).",
        on_each_task(standard_beats_none),
    ),
    Claim(
        "internal-beats-none",
        RESULTS,
        "Internal KD (Exp3.2) scores higher than the same student without a teacher.",
        on_each_task(internal_beats_none),
    ),
    Claim(
        "every-internal-beats-none",
        RESULTS,
        "Every form of internal KD scores higher than the same student without a teacher.",
        on_each_task(every_internal_beats_none),
    ),
    Claim(
        "internal-beats-standard-on-test",
        f"{RESULTS}, Table 2",
        "The best internal KD scores higher than soft-label KD on the test set.",
        on_each_task(selected_beats_standard_on_test),
    ),
    Claim(
        "teacher-beats-students",
        "Table 1",
        "The teacher scores higher than every student.",
        on_each_task(teacher_beats_students),
    ),
)
