import pytest

from internal_kd.errors import UserError
from internal_kd.tasks import METRIC_NAMES, TASKS, get_task, nearest


def test_tasks_are_glues():
    labels = {name: task.labels for name, task in TASKS.items()}
    assert labels == {
        "cola": ("unacceptable", "acceptable"),
        "qqp": ("not_duplicate", "duplicate"),
        "mrpc": ("not_equivalent", "equivalent"),
        "rte": ("entailment", "not_entailment"),
        "qnli": ("entailment", "not_entailment"),
    }


def test_selection_metrics_are_the_papers():
    selection = {name: task.selection_metric for name, task in TASKS.items()}
    assert selection == {
        "cola": "mcc",
        "qqp": "f1_weighted",
        "mrpc": "f1_weighted",
        "rte": "accuracy",
        "qnli": "accuracy",
    }


def test_metric_names_are_those_that_are_computed():
    from internal_kd.evaluation.metrics import METRICS

    assert set(METRICS) == set(METRIC_NAMES)


def test_unknown_task_names_the_nearest():
    assert get_task("rte").title == "RTE"
    with pytest.raises(UserError, match="unknown task 'qnil'; did you mean 'qnli'"):
        get_task("qnil")


def test_nearest_lists_all_when_none_is_near():
    assert nearest("xyz", ["b", "a"]) == "known: a, b"
