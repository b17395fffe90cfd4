"""Claims about students and the errors of their teacher (Error Analysis)."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import numpy.typing as npt

from internal_kd.evaluation.predictions import SplitPredictions
from internal_kd.reporting.claims.claim import Claim, Finding
from internal_kd.reporting.claims.estimate import (
    THE_TEACHER,
    common_seeds,
    mean_draws,
    smallest,
)
from internal_kd.reporting.claims.evidence import Evidence, NoData
from internal_kd.reporting.claims.verdict import more_than
from internal_kd.reporting.development import development_predictions

ROLES = ("standard", "internal")


def agrees_with_teacher(evidence: Evidence, task: str) -> Finding:
    """Holds if the share of examples with the teacher's answer is larger for internal KD."""
    teacher, students = _answers(evidence, task)
    same = {role: found == teacher.predictions for role, found in students.items()}
    return _compared(evidence, task, "agreement", same)


def right_or_wrong_with_teacher(right: bool, evidence: Evidence, task: str) -> Finding:
    """Holds if, of the examples that the teacher gets right (or wrong), internal KD gets more
    right (or wrong) than standard KD.
    """
    teacher, students = _answers(evidence, task)
    word = "right" if right else "wrong"
    chosen = (teacher.predictions == teacher.labels) == right
    if not chosen.any():
        raise NoData(f"the teacher is never {word}")
    same = {
        role: ((found == teacher.labels) == right)[:, chosen] for role, found in students.items()
    }
    return _compared(evidence, task, f"share {word} when the teacher is", same)


def more_over_confident(evidence: Evidence, task: str) -> Finding:
    """Holds if standard KD is over-confident, and more so than internal KD.

    Over-confidence is the mean of the highest probability of an example minus the accuracy. Both
    the over-confidence of standard KD and its lead over internal KD must be above 0: of two
    students that are not sure enough neither is over-confident.
    """
    runs, seeds = common_seeds(evidence.pair(task))
    frames = development_predictions(runs)
    excess = np.array(
        [f.probabilities.max(axis=1).astype(float) - (f.predictions == f.labels) for f in frames]
    )
    draws = mean_draws(
        evidence, f"{task} confidence", {"standard": excess[:seeds], "internal": excess[seeds:]}
    )
    parts = {
        "standard KD": draws.estimate(lambda models: models["standard"], evidence.confidence),
        "its lead over internal KD": draws.difference("standard", "internal", evidence.confidence),
    }
    name, found = smallest(parts)
    verdict = more_than(found.low, found.high)
    remark = f"smaller: {name}; {_both(draws.observed)}"
    return Finding("over-confidence of standard KD, or its lead", found, verdict, remark)


def _answers(
    evidence: Evidence, task: str
) -> tuple[SplitPredictions, dict[str, npt.NDArray[np.int64]]]:
    """The teacher's predictions, and those of both students, [seeds, n]."""
    models = {THE_TEACHER: evidence.teacher(task)} | evidence.pair(task)
    runs, seeds = common_seeds(models)
    frames = development_predictions(runs)
    found = np.stack([frame.predictions for frame in frames]).reshape(3, seeds, -1)
    return frames[0], dict(zip(ROLES, found[1:], strict=True))


def _compared(
    evidence: Evidence, task: str, statistic: str, same: Mapping[str, npt.NDArray[np.bool_]]
) -> Finding:
    values = {role: found.astype(float) for role, found in same.items()}
    draws = mean_draws(evidence, f"{task} {statistic}", values)
    found = draws.difference("internal", "standard", evidence.confidence)
    verdict = more_than(found.low, found.high)
    return Finding(
        f"{statistic}, internal minus standard KD", found, verdict, _both(draws.observed)
    )


def _both(observed: Mapping[str, float]) -> str:
    return f"standard {observed['standard']:.3f}, internal {observed['internal']:.3f}"


CLAIMS = (
    Claim(
        "agrees-with-teacher",
        "Error Analysis, Table 3",
        "The student of internal KD answers as the teacher does more often.",
        agrees_with_teacher,
    ),
    Claim(
        "right-with-teacher",
        "Error Analysis, Table 3",
        "Where the teacher is right, the student of internal KD is right more often.",
        partial(right_or_wrong_with_teacher, True),
    ),
    Claim(
        "wrong-with-teacher",
        "Error Analysis, Table 3",
        "Where the teacher is wrong, the student of internal KD is wrong more often.",
        partial(right_or_wrong_with_teacher, False),
    ),
    Claim(
        "standard-is-over-confident",
        "Error Analysis, Table 4",
        "The student of standard KD is over-confident, and more so than that of internal KD.",
        more_over_confident,
    ),
)
