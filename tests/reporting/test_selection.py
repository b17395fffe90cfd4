import math

import pytest

from internal_kd.errors import UserError
from internal_kd.reporting.selection import (
    best_experiment,
    best_run,
    development_score,
    mean_development_score,
    runs_of,
    runs_of_rows,
    teacher_of,
)
from internal_kd.specs.reports import Row
from tests.reporting.answers import answers, predicted, unlabelled
from tests.reporting.fake_runs import write_fake_run


@pytest.fixture
def add(tmp_path):
    """Write a run on rte with this number of right development answers out of ten."""

    def write(experiment, seed, right, task="rte", **more):
        frames = {"validation": answers(right)}
        return write_fake_run(tmp_path, task, experiment, seed=seed, **frames, **more)

    return write


def test_runs_of_an_experiment_ascend_by_seed(add):
    runs = [add("exp3.0", 1, 8), add("exp3.0", 0, 8), add("exp3.1", 0, 8)]
    assert [run.seed for run in runs_of(runs, "rte", "exp3.0")] == [0, 1]
    assert runs_of(runs, "cola", "exp3.0") == []


def test_runs_of_several_sizes_are_refused(add):
    runs = [add("exp3.0", 0, 8), add("exp3.0", 1, 8, layers=1)]
    with pytest.raises(UserError, match=r"exp3\.0 on rte: runs of different layers"):
        runs_of(runs, "rte", "exp3.0")


def test_duplicate_run_is_rejected(add):
    run = add("exp3.0", 0, 8)
    with pytest.raises(UserError, match="a seed occurs twice in --runs"):
        runs_of([run, run], "rte", "exp3.0")


def test_a_student_has_the_only_teacher_or_that_of_its_seed(add):
    teachers = [add("exp1.0", 3, 9), add("exp1.0", 4, 9)]
    student = add("exp2.0", 4, 8)
    assert teacher_of(teachers[:1], student) is teachers[0]
    assert teacher_of(teachers, student) is teachers[1]
    assert teacher_of(teachers, add("exp2.0", 5, 8)) is None
    assert teacher_of([], student) is None


def test_runs_of_roles_exclude_other_experiments_and_tasks(add):
    runs = [add("exp1.0", 0, 9), add("exp2.0", 0, 9), add("exp3.2", 0, 9), add("exp3.3", 0, 9)]
    rows = [Row(name, "") for name in ("exp1.0", "exp2.0", "exp3.2")]
    assert runs_of_rows(runs, rows, ["rte"]) == runs[:3]
    assert runs_of_rows(runs, rows, ["cola"]) == []


def test_development_score_is_the_tasks_selection_metric(tmp_path):
    dev = predicted([1, 1, 1, 0], [1, 1, 0, 1])
    run = write_fake_run(tmp_path, "mrpc", "exp2.0", validation=dev)
    assert development_score(run) == pytest.approx(0.5)  # weighted F1: 3/4 of 2/3, and 1/4 of 0


def test_unlabelled_development_set_has_no_score(tmp_path):
    run = write_fake_run(tmp_path, "rte", "exp3.0", validation=unlabelled([0, 1]))
    assert math.isnan(development_score(run))


def test_mean_over_seeds(add):
    assert mean_development_score([add("exp3.0", 0, 7), add("exp3.0", 1, 8)]) == 0.75
    assert math.isnan(mean_development_score([]))


def test_best_mean_wins_not_the_best_seed(add):
    runs = [add("exp3.0", 0, 9), add("exp3.0", 1, 5), add("exp3.1", 0, 8), add("exp3.1", 1, 8)]
    assert best_experiment(runs, "rte", ["exp3.0", "exp3.1"]) == "exp3.1"


def test_first_of_equal_experiments_wins(add):
    """Both means are 0.15, which floating-point numbers do not represent exactly."""
    runs = [add("exp3.0", seed, right) for seed, right in enumerate((0, 3))]
    runs += [add("exp3.1", seed, right) for seed, right in enumerate((1, 2))]
    assert (0.0 + 0.3) / 2 != (0.1 + 0.2) / 2
    for names in (["exp3.0", "exp3.1"], ["exp3.1", "exp3.0"]):
        assert best_experiment(runs, "rte", names) == names[0]


def test_candidates_without_runs_are_ignored(add):
    runs = [add("exp3.1", 0, 2)]
    assert best_experiment(runs, "rte", ["exp3.0", "exp3.1"]) == "exp3.1"
    assert best_experiment(runs, "rte", ["exp3.0"]) is None
    assert best_experiment(runs, "rte", []) is None


def test_best_run_of_equal_ones_is_the_lowest_seed(add):
    runs = [add("exp3.0", 2, 8), add("exp3.0", 1, 8), add("exp3.0", 0, 7)]
    assert best_run(runs) is runs[1]
    assert best_run([]) is None
