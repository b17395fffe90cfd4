"""Words that several tables share: metrics, experiments, and what the flags of runs mean."""

from collections.abc import Iterable, Mapping

from internal_kd.reporting.runs import RunFolder
from internal_kd.reporting.scores import flags
from internal_kd.tasks import get_task

METRIC_TITLES = {"accuracy": "Acc.", "f1": "F1", "f1_weighted": "weighted F1", "mcc": "MCC"}
FLAG_TEXTS = {
    "one_class": "at least one run always answers the same class",
    "at_majority": "at least one run is not clearly better than the majority class",
    "teacher_one_class": "the teacher always answers the same class",
    "teacher_at_majority": "the teacher is not clearly better than the majority class",
}
MARKS = "abcdefghijklmnopqrstuvwxyz"


def capitalized(text: str) -> str:
    """The text with its first letter as a capital and the others as they are: Exp3.X."""
    return text[:1].upper() + text[1:]


def flag_sentences(runs: Iterable[RunFolder]) -> list[str]:
    """A sentence for each experiment and task with flagged runs."""
    found = flags(run.metrics for run in runs)
    return [
        f"{capitalized(experiment)} on {get_task(task).title}: {', '.join(map(_flag_text, names))}."
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
