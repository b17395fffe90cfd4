"""The tasks of GLUE, with its column names and label order: a config names them as they are."""

from collections.abc import Mapping

from internal_kd.specs.tasks import Task

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

GLUE: Mapping[str, Task] = {task.name: task for task in (_COLA, _QQP, _MRPC, _RTE, _QNLI)}
