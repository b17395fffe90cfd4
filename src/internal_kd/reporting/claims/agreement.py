"""Claims about students and the errors of their teacher (Error Analysis)."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import numpy.typing as npt

from internal_kd.evaluation.inference import Effect, two_way
from internal_kd.evaluation.predictions import SplitPredictions
from internal_kd.reporting.claims.claim import Claim, Finding, above, all_above, found, on_each_task
from internal_kd.reporting.claims.effects import (
    THE_TEACHER,
    Means,
    answers_of,
    difference,
    frames_of,
)
from internal_kd.reporting.claims.evidence import Evidence, NoData

Answers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def agrees_with_teacher(evidence: Evidence, task: str) -> Finding:
    """Holds if the share of examples with the teacher's answer is larger for internal KD."""
    _, teacher, students = _answers(evidence, task)
    same = {role: given == teacher for role, given in students.items()}
    return _compared(evidence, "agreement", same, np.ones_like(teacher, dtype=bool))


def right_or_wrong_with_teacher(right: bool, evidence: Evidence, task: str) -> Finding:
    """Holds if, of the examples that the teacher gets right (or wrong), internal KD gets more
    right (or wrong) than standard KD.
    """
    labels, teacher, students = _answers(evidence, task)
    word = "right" if right else "wrong"
    chosen = (teacher == labels) == right
    if not chosen.any(axis=1).all():
        raise NoData(f"a teacher is never {word}")
    same = {role: (given == labels) == right for role, given in students.items()}
    return _compared(evidence, f"share {word} when the teacher is", same, chosen)


def more_over_confident(evidence: Evidence, task: str) -> Finding:
    """Holds if standard KD is over-confident, and more so than internal KD.

    Over-confidence is the mean of the highest probability of an example minus the accuracy. Both
    the over-confidence of standard KD and its lead over internal KD must be above 0: of two
    students that are not sure enough neither is over-confident.
    """
    frames = frames_of(evidence.pair(task))
    excess = Means({role: np.array(list(map(_excess, rows))) for role, rows in frames.items()})
    parts = {
        "standard KD": excess.effect(lambda models: models["standard"]),
        "its lead over internal KD": excess.effect(difference("standard", "internal")),
    }
    judged = all_above(list(parts.values()), evidence.confidence)
    name = min(parts, key=lambda key: parts[key].value)
    remark = f"smaller: {name}; {_both({role: excess.mean(role) for role in excess.values})}"
    reservations = evidence.pair_unlike()
    return found("over-confidence of standard KD, or its lead", judged, remark, reservations)


def _answers(evidence: Evidence, task: str) -> tuple[Answers, Answers, dict[str, Answers]]:
    """Labels, [n], the answers of the teachers, [1 or seeds, n], and those of both students,
    [seeds, n].
    """
    models = {THE_TEACHER: evidence.teachers(task)} | evidence.pair(task)
    frames = frames_of(models)
    answers = {name: answers_of(rows) for name, rows in frames.items()}
    return frames[THE_TEACHER][0].labels, answers.pop(THE_TEACHER), answers


def _compared(
    evidence: Evidence, statistic: str, same: Mapping[str, Flags], chosen: Flags
) -> Finding:
    """Internal minus standard KD in the share of the chosen examples on which they do the same."""
    gain = same["internal"].astype(float) - same["standard"]
    judged = above(mean_where(gain, chosen), evidence.confidence)
    shares = {role: float(_means(flags, chosen).mean()) for role, flags in same.items()}
    reservations = evidence.pair_unlike()
    statistic = f"{statistic}, internal minus standard KD"
    return found(statistic, judged, _both(shares), reservations)


def mean_where(values: npt.NDArray[np.float64], chosen: Flags) -> Effect:
    """Effect of a mean over chosen examples, which may be others for each seed.

    The variance over examples is that of a ratio of sums, to first order; with the same examples
    for all seeds it is s^2 / n of the mean over seeds.

    Args:
        values: [seeds, n].
        chosen: [seeds, n], or [1, n] for all seeds.
    """
    ever = chosen.any(axis=0)
    n, values, chosen = int(ever.sum()), values[:, ever], chosen[:, ever]
    by_seed = _means(values, chosen)
    weights = n * chosen / chosen.sum(axis=1, keepdims=True)
    residuals = (weights * (values - by_seed[:, None])).mean(axis=0)
    variance = float(residuals.var(ddof=1)) / n if n > 1 else np.nan
    return two_way(by_seed, variance, n)


def _means(values: npt.NDArray[np.float64] | Flags, chosen: Flags) -> npt.NDArray[np.float64]:
    """Means of each seed over its chosen examples, [seeds]."""
    return np.asarray((values * chosen).sum(axis=1) / chosen.sum(axis=1))


def _excess(frame: SplitPredictions) -> npt.NDArray[np.float64]:
    """Highest probability minus correctness of each example, [n]."""
    return frame.probabilities.max(axis=1).astype(float) - (frame.predictions == frame.labels)


def _both(values: Mapping[str, float]) -> str:
    return f"standard {values['standard']:.3f}, internal {values['internal']:.3f}"


CLAIMS = (
    Claim(
        "agrees-with-teacher",
        "Error Analysis, Table 3",
        "The student of internal KD answers as the teacher does more often.",
        on_each_task(agrees_with_teacher),
    ),
    Claim(
        "right-with-teacher",
        "Error Analysis, Table 3",
        "Where the teacher is right, the student of internal KD is right more often.",
        on_each_task(partial(right_or_wrong_with_teacher, True)),
    ),
    Claim(
        "wrong-with-teacher",
        "Error Analysis, Table 3",
        "Where the teacher is wrong, the student of internal KD is wrong more often.",
        on_each_task(partial(right_or_wrong_with_teacher, False)),
    ),
    Claim(
        "standard-is-over-confident",
        "Error Analysis, Table 4",
        "The student of standard KD is over-confident, and more so than that of internal KD.",
        on_each_task(more_over_confident),
    ),
)
