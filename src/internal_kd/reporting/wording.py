"""Words that several tables share: metrics, experiments, heads, seeds, and flags of runs."""

from collections.abc import Iterable, Mapping

from internal_kd.evaluation.inference import POWER, SEEDS_FOR_VERDICTS
from internal_kd.reporting.runs import RunFolder
from internal_kd.reporting.scores import flags
from internal_kd.specs.reports import Row

METRIC_TITLES = {"accuracy": "Acc.", "f1": "F1", "f1_weighted": "weighted F1", "mcc": "MCC"}
HEADS = {  # what the head of a student starts as
    "random": "random",
    "teacher": "teacher's",
    "teacher_start": "teacher's start",
}
HEAD_NOTE = (
    "Head: what pooler and classification layer of a student start as: the pooler of the model it "
    "is cut from with a new layer (random), those of the trained teacher, or those of its start."
)
FEW_SEEDS = {
    1: "One seed: every difference is a hint, as nothing is known of the spread between seeds.",
    2: f"Two seeds: every difference is a hint; verdicts need {SEEDS_FOR_VERDICTS}.",
}
FLAG_TEXTS = {
    "one_class": "at least one run always predicts the same class",
    "at_majority": "at least one run is not clearly better than the majority class",
    "teacher_one_class": "the teacher always predicts the same class",
    "teacher_at_majority": "the teacher is not clearly better than the majority class",
}
MARKS = "abcdefghijklmnopqrstuvwxyz"


def capitalized(text: str) -> str:
    """The text with its first letter as a capital and the others as they are: Exp3.X."""
    return text[:1].upper() + text[1:]


def head_title(head: object) -> str:
    """What the head of a student starts as; "" for a teacher, which has none of `HEADS`."""
    return HEADS.get(str(head), "")


def seeds_sentences(seeds: Iterable[int]) -> list[str]:
    """That differences are hints, where the fewest seeds of a comparison are one or two.

    Args:
        seeds: numbers of seeds that occur; 0 stands for no comparison.
    """
    fewest = min((n for n in seeds if n), default=0)
    return [FEW_SEEDS[fewest]] if fewest in FEW_SEEDS else []


def teachers_sentences(teachers: int) -> list[str]:
    """What results generalise to.

    Args:
        teachers: number of teachers of each task.
    """
    if teachers > 1:
        return [
            f"Each student seed has a teacher of its own ({teachers} per task): results generalise "
            "to new pairs of teacher and student."
        ]
    one = "Results are conditional on the one teacher of each task; another may shift all students."
    return [one] if teachers else []


def starts_sentences(internal: Row, standard: Row) -> list[str]:
    """That differences are hints, where the students compared differ in more than their losses."""
    if internal.baseline == standard.name:
        return []
    names = " and ".join(capitalized(row.name) for row in (internal, standard))
    return [
        f"{names} differ in more than their losses (head, initial layers or training settings): "
        "every difference is a hint."
    ]


def power_text(level: float) -> str:
    """With what certainty a detectable difference is found, at this level of p."""
    return f"p below {level:.3g} with a probability of {100 * POWER:g} %"


def points(value: float) -> str:
    """A signed difference of scores in points; what rounds to zero has no sign."""
    rounded = round(100 * value, 1)
    return f"{rounded:+.1f}".replace("-", "−") if rounded else "0.0"


def flag_sentences(runs: Iterable[RunFolder]) -> list[str]:
    """A sentence for each experiment and task with flagged runs."""
    runs = list(runs)
    titles = {run.task: run.spec.title for run in runs}
    found = flags(run.metrics for run in runs)
    return [
        f"{capitalized(experiment)} on {titles[task]}: {', '.join(map(_flag_text, names))}."
        for (experiment, task), names in found.items()
    ]


def flag_marks(names: Iterable[str]) -> dict[str, str]:
    """A letter for each flag that occurs, in alphabetical order of the flags."""
    return dict(zip(sorted(set(names)), MARKS, strict=False))


def flag_notes(marks: Mapping[str, str]) -> list[str]:
    """A sentence for each letter of `flag_marks`."""
    return [f"{mark}: {_flag_text(flag)}." for flag, mark in marks.items()]


def _flag_text(flag: str) -> str:
    return FLAG_TEXTS.get(flag, flag.replace("_", " "))
