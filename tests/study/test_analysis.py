import pytest

from internal_kd.study import analysis
from internal_kd.study.figures import figures, left_out
from internal_kd.study.runs import Run
from tests.study.configs import read_study

PAPER_TASKS = ("cola", "qqp", "mrpc", "rte")


def of(runs, **fields):
    return [run for run in runs if all(getattr(run, k) == v for k, v in fields.items())]


def test_layer_sweep_shares_the_runs_of_table1():
    study = read_study(seeds=[0, 1])
    runs = analysis.layer_sweep_runs(study, "rte")
    assert analysis.layer_counts(study, "rte") == (1, 2, 3)
    assert len(runs) == len(set(runs)) == 1 + 2 * 3 * 2
    shared = set(runs) & set(study.runs_of_table1())
    assert shared == {
        study.teacher_run("rte"),
        *(Run("rte", name, 3, 100, seed) for name in ("exp2.0", "exp3.2") for seed in (0, 1)),
    }


def test_layer_sweep_may_leave_tasks_out():
    study = read_study(sweeps={"layers": {"tasks": ["cola"]}})
    assert analysis.layer_sweep_tasks(study) == ("cola",)
    assert analysis.layer_counts(study, "rte") == (3,)


def test_size_sweep_has_its_own_tasks_and_one_teacher_of_all_data():
    study = read_study(seeds=[0, 1])
    assert study.tasks == (*PAPER_TASKS, "qnli")
    assert study.table1_tasks == PAPER_TASKS
    assert analysis.size_sweep_tasks(study) == ("qqp", "qnli")
    runs = analysis.size_sweep_runs(study, "qnli")
    assert of(runs, experiment="exp1.0") == [study.teacher_run("qnli")]
    assert {run.percent for run in of(runs, experiment="exp2.0")} == {10, 25, 50, 100}
    assert len(runs) == 1 + 2 * 4 * 2


def test_a_teacher_of_the_same_share_sees_what_its_student_sees():
    study = read_study(seeds=[3, 4], sweeps={"data_size": {"teacher": "same"}})
    student = Run("qqp", "exp2.0", 3, 25, 3)
    assert study.teacher_of(student) == Run("qqp", "exp1.0", 8, 25, 3)
    assert study.teacher_of(Run("qqp", "exp2.0", 3, 100, 3)) == study.teacher_run("qqp")
    teachers = of(analysis.size_sweep_runs(study, "qqp"), experiment="exp1.0")
    assert len(teachers) == 1 + 3 * 2


def test_without_fractions_a_sweeps_tasks_are_not_the_studys():
    study = read_study(sweeps={"data_size": {"fractions": []}})
    assert study.tasks == PAPER_TASKS
    assert analysis.size_sweep_tasks(study) == ()
    assert left_out(study) == {"fig9": "its task qnli is not one of the study's tasks"}


def test_claims_read_every_run_once():
    study = read_study()
    runs = analysis.claims_runs(study)
    assert len(runs) == len(set(runs))
    assert set(study.runs_of_table1()) < set(runs)
    for task in study.table1_tasks:
        assert set(analysis.layer_sweep_runs(study, task)) <= set(runs)


def test_candidates_are_the_rows_with_losses_between_layers():
    names = [row.name for row in analysis.candidates(read_study())]
    assert names == [f"exp3.{i}" for i in range(7)]


def test_single_examples_are_shown_of_the_first_seed():
    study = read_study(seeds=[7, 1])
    assert analysis.shown_runs(study, "cola") == (
        Run("cola", "exp1.0", 8, 100, 0),
        Run("cola", "exp2.0", 3, 100, 7),
        Run("cola", "exp3.2", 3, 100, 7),
    )


def test_the_papers_figures_are_all_there():
    names = {figure.name for figure in figures(read_study("paper"))}
    assert names == {f"fig{i}" for i in range(2, 12)} | {"attention_kl", "calibration"}


@pytest.mark.parametrize("name", ["fig3", "attention_kl"])
def test_null_removes_a_figure(name):
    study = read_study(figures={name: None})
    assert name not in {figure.name for figure in figures(study)}
    assert name not in left_out(study)


def test_convergence_shows_teacher_and_the_experiments_named():
    study = read_study(seeds=[0])
    figure = next(figure for figure in figures(study) if figure.name == "fig10")
    runs = analysis.convergence_runs(study, figure)
    assert [run.experiment for run in runs] == ["exp1.0", "exp3.3", "exp3.4", "exp3.5"]
    assert {run.task for run in runs} == {"cola"}
