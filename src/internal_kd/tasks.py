"""What a task is: its text columns, its labels, and the metrics it is judged by."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from internal_kd.errors import UserError

METRIC_NAMES = ("accuracy", "f1", "f1_weighted", "mcc")
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Task:
    """A sentence or sentence-pair classification task in GLUE's column names and label order.

    All of ``METRIC_NAMES`` are recorded for every task; ``metrics`` are those its tables show and
    ``selection_metric`` is the development score that picks the best epoch.
    """

    name: str
    title: str
    text_columns: tuple[str, ...]
    labels: tuple[str, ...]
    metrics: tuple[str, ...]
    selection_metric: str

    def __post_init__(self) -> None:
        unknown = {*self.metrics, self.selection_metric} - set(METRIC_NAMES)
        if unknown:
            raise ValueError(f"task {self.name}: unknown metrics {sorted(unknown)}")


_COLA = Task(
    name="cola",
    title="CoLA",
    text_columns=("sentence",),
    labels=("unacceptable", "acceptable"),
    metrics=("mcc",),
    selection_metric="mcc",
)
_QQP = Task(
    name="qqp",
    title="QQP",
    text_columns=("question1", "question2"),
    labels=("not_duplicate", "duplicate"),
    metrics=("accuracy", "f1_weighted"),
    selection_metric="f1_weighted",
)
_MRPC = Task(
    name="mrpc",
    title="MRPC",
    text_columns=("sentence1", "sentence2"),
    labels=("not_equivalent", "equivalent"),
    metrics=("accuracy", "f1_weighted"),
    selection_metric="f1_weighted",
)
_RTE = Task(
    name="rte",
    title="RTE",
    text_columns=("sentence1", "sentence2"),
    labels=("entailment", "not_entailment"),
    metrics=("accuracy",),
    selection_metric="accuracy",
)
_QNLI = Task(
    name="qnli",
    title="QNLI",
    text_columns=("question", "sentence"),
    labels=("entailment", "not_entailment"),
    metrics=("accuracy",),
    selection_metric="accuracy",
)

TASKS: dict[str, Task] = {task.name: task for task in (_COLA, _QQP, _MRPC, _RTE, _QNLI)}


def nearest(name: object, known: Iterable[str]) -> str:
    """Say which known name was probably meant: ``did you mean 'x'?``, else the list of names."""
    names = sorted(known)
    close = get_close_matches(str(name), names, n=1)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"known: {', '.join(names)}" if names else "nothing is allowed here"


def get_task(name: str) -> Task:
    """Return the task of this name.

    Raises:
        UserError: no such task; the sentence names the nearest one.
    """
    if name not in TASKS:
        raise UserError(f"unknown task '{name}'; {nearest(name, TASKS)}")
    return TASKS[name]
