import pytest

from internal_kd.specs.tasks import METRICS_OF, SINGLE_LABEL, Task
from internal_kd.study.glue import GLUE


def test_tasks_are_glues():
    labels = {name: task.labels for name, task in GLUE.items()}
    assert labels == {
        "cola": ("unacceptable", "acceptable"),
        "qqp": ("not_duplicate", "duplicate"),
        "mrpc": ("not_equivalent", "equivalent"),
        "rte": ("entailment", "not_entailment"),
        "qnli": ("entailment", "not_entailment"),
    }


def test_selection_metrics_are_the_papers():
    selection = {name: task.selection_metric for name, task in GLUE.items()}
    assert selection == {
        "cola": "mcc",
        "qqp": "f1_weighted",
        "mrpc": "f1_weighted",
        "rte": "accuracy",
        "qnli": "accuracy",
    }


def test_metric_names_are_those_that_are_computed():
    from internal_kd.evaluation.metrics import METRICS

    assert set(METRICS) == set(METRICS_OF[SINGLE_LABEL])


def test_a_task_has_metrics_of_its_kind():
    with pytest.raises(ValueError, match="task x: unknown metrics \\['pearson'\\]"):
        Task(
            name="x",
            title="X",
            text_columns=("a",),
            labels=("b", "c"),
            metrics=("pearson",),
            selection_metric="accuracy",
        )
