"""Claims about the scores of Tables 1 and 2."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from internal_kd.evaluation.significance import paired_t_test
from internal_kd.reporting.claims.claim import Claim, Estimate, Finding
from internal_kd.reporting.claims.estimate import (
    THE_TEACHER,
    common_seeds,
    score_draws,
    smallest,
)
from internal_kd.reporting.claims.evidence import NO_KD, Evidence, NoData
from internal_kd.reporting.claims.verdict import more_than
from internal_kd.reporting.runs import RunFolder
from internal_kd.reporting.selection import best_experiment
from internal_kd.reporting.splits import labelled_predictions

CONFIDENCE_OF_PAPER = 0.999  # p below 1e-3
RESULTS = "Development and Evaluation Results"


def internal_beats_standard(evidence: Evidence, task: str) -> Finding:
    """Holds if the development score of internal KD minus that of standard KD is above 0."""
    draws = score_draws(evidence, task, evidence.pair(task))
    found = draws.difference("internal", "standard", evidence.confidence)
    return _above("internal minus standard KD", found)


def every_internal_beats_standard(evidence: Evidence, task: str) -> Finding:
    """Holds if every Exp3.x minus standard KD is above 0, each with its own interval."""
    return _every_internal(evidence, task, evidence.standard, "standard KD")


def standard_beats_none(evidence: Evidence, task: str) -> Finding:
    """Holds if standard KD minus the student without a teacher (Exp1.1) is above 0."""
    found = _difference(evidence, task, evidence.standard, evidence.name_of(NO_KD))
    return _above("standard KD minus no KD", found)


def internal_beats_none(evidence: Evidence, task: str) -> Finding:
    """Holds if internal KD minus the student without a teacher (Exp1.1) is above 0."""
    found = _difference(evidence, task, evidence.internal, evidence.name_of(NO_KD))
    return _above("internal minus no KD", found)


def every_internal_beats_none(evidence: Evidence, task: str) -> Finding:
    """Holds if every Exp3.x minus the student without a teacher (Exp1.1) is above 0."""
    return _every_internal(evidence, task, evidence.name_of(NO_KD), "no KD")


def all_significant(evidence: Evidence, task: str) -> Finding:
    """Holds if the accuracy of every Exp3.x minus that of standard KD has a 99.9 % t-interval
    above 0.

    That is a positive effect with p < 1e-3 in the paired t-test over examples. The t-interval is
    of the means over the seeds that are there, not of seeds in general.
    """
    models = {evidence.standard: evidence.students(task, evidence.standard)}
    names = [name for name in evidence.internal_names() if name != evidence.standard]
    candidates = evidence.known(task, names)
    if not candidates:
        raise NoData("no runs of an internal KD")
    tests = {name: _t_test(models | {name: runs}) for name, runs in candidates.items()}
    name, found = smallest(tests)
    finding = _above("smallest accuracy difference, 99.9 % interval", found)
    return Finding(finding.statistic, found, finding.verdict, _over(tests, name))


def selected_beats_standard_on_test(evidence: Evidence, task: str) -> Finding:
    """Holds if the test score of the Exp3.x that is best on the development set, minus that of
    standard KD, is above 0.
    """
    candidates = evidence.known(task, evidence.internal_names())
    every = [run for runs in candidates.values() for run in runs]
    best = best_experiment(every, task, candidates)
    if best is None:
        raise NoData("no runs of an internal KD")
    found = _difference(evidence, task, best, evidence.standard, "test")
    return _above("best internal minus standard KD, test set", found, f"best internal KD: {best}")


def teacher_beats_students(evidence: Evidence, task: str) -> Finding:
    """Holds if the teacher minus every student of Table 1 is above 0, each with its interval."""
    students = evidence.known(task, evidence.student_names())
    if not students:
        raise NoData("no runs of a student")
    draws = score_draws(evidence, task, {THE_TEACHER: evidence.teacher(task)} | students)
    differences = {
        name: draws.difference(THE_TEACHER, name, evidence.confidence) for name in students
    }
    name, found = smallest(differences)
    return _above("smallest lead of the teacher", found, _over(differences, name))


def _every_internal(evidence: Evidence, task: str, other: str, title: str) -> Finding:
    names = [name for name in evidence.internal_names() if name != other]
    candidates = evidence.known(task, names)
    if not candidates:
        raise NoData("no runs of an internal KD")
    models = {other: evidence.students(task, other)} | candidates
    draws = score_draws(evidence, task, models)
    differences = {name: draws.difference(name, other, evidence.confidence) for name in candidates}
    name, found = smallest(differences)
    return _above(f"smallest internal minus {title}", found, _over(differences, name))


def _difference(
    evidence: Evidence, task: str, first: str, second: str, split: str = "validation"
) -> Estimate:
    models = {name: evidence.students(task, name) for name in (first, second)}
    draws = score_draws(evidence, task, models, split)
    return draws.difference(first, second, evidence.confidence)


def _t_test(models: Mapping[str, Sequence[RunFolder]]) -> Estimate:
    """The paired t-test of the second model against the first, over examples."""
    rows, seeds = common_seeds(models)
    frames = labelled_predictions(rows, "validation") or []
    right = np.array([frame.predictions == frame.labels for frame in frames])
    second, first = right[seeds:].mean(axis=0), right[:seeds].mean(axis=0)
    found = paired_t_test(second, first, CONFIDENCE_OF_PAPER)
    return Estimate(found.effect, found.low, found.high, found.n, seeds)


def _above(statistic: str, found: Estimate, remark: str = "") -> Finding:
    return Finding(statistic, found, more_than(found.low, found.high), remark)


def _over(estimates: Iterable[str], name: str) -> str:
    return f"over {', '.join(estimates)}; smallest for {name}"


CLAIMS = (
    Claim(
        "internal-beats-standard",
        f"Abstract; {RESULTS}, Table 1",
        "Internal KD (Exp3.2) scores higher than soft-label KD on each task.",
        internal_beats_standard,
    ),
    Claim(
        "every-internal-beats-standard",
        f"{RESULTS}, Table 1",
        "Every form of internal KD scores higher than soft-label KD on each task.",
        every_internal_beats_standard,
    ),
    Claim(
        "all-significant",
        "Experimental Setup",
        "Every internal KD differs from standard KD with p < 0.001 in a t-test.",
        all_significant,
    ),
    Claim(
        "standard-beats-none",
        RESULTS,
        "Soft-label KD scores higher than the same student without a teacher (not always: CoLA).",
        standard_beats_none,
    ),
    Claim(
        "internal-beats-none",
        RESULTS,
        "Internal KD (Exp3.2) scores higher than the same student without a teacher.",
        internal_beats_none,
    ),
    Claim(
        "every-internal-beats-none",
        RESULTS,
        "Every form of internal KD scores higher than the same student without a teacher.",
        every_internal_beats_none,
    ),
    Claim(
        "internal-beats-standard-on-test",
        f"{RESULTS}, Table 2",
        "The best internal KD scores higher than soft-label KD on the test set.",
        selected_beats_standard_on_test,
    ),
    Claim(
        "teacher-beats-students",
        "Table 1",
        "The teacher scores higher than every student.",
        teacher_beats_students,
    ),
)
