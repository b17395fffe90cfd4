import pytest

from internal_kd.specs.runs import Run
from internal_kd.study import analysis
from internal_kd.study.figures import figures, skipped_figures
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
        *study.teacher_runs("rte"),
        *(Run("rte", name, 3, 100, seed) for name in ("exp2.0", "exp3.2") for seed in (0, 1)),
    }


def test_layer_sweep_may_exclude_tasks():
    study = read_study(sweeps={"layers": {"tasks": ["cola"]}})
    assert analysis.layer_sweep_tasks(study) == ("cola",)
    assert analysis.layer_counts(study, "rte") == (3,)


def test_size_sweep_has_its_own_tasks_and_one_teacher_of_all_data():
    study = read_study(seeds=[0, 1])
    assert study.tasks == (*PAPER_TASKS, "qnli")
    assert study.table1_tasks == PAPER_TASKS
    assert analysis.size_sweep_tasks(study) == ("qqp", "qnli")
    runs = analysis.size_sweep_runs(study, "qnli")
    assert of(runs, experiment="exp1.0") == list(study.teacher_runs("qnli"))
    assert {run.percent for run in of(runs, experiment="exp2.0")} == {10, 25, 50, 100}
    assert len(runs) == 1 + 2 * 4 * 2


def test_a_teacher_of_the_same_share_sees_what_its_student_sees():
    study = read_study(seeds=[3, 4], sweeps={"data_size": {"teacher": "same"}})
    student = Run("qqp", "exp2.0", 3, 25, 3)
    assert study.teacher_of(student) == Run("qqp", "exp1.0", 8, 25, 3)
    assert (study.teacher_of(Run("qqp", "exp2.0", 3, 100, 3)),) == study.teacher_runs("qqp")
    teachers = of(analysis.size_sweep_runs(study, "qqp"), experiment="exp1.0")
    assert len(teachers) == 1 + 3 * 2


def test_without_fractions_a_sweeps_tasks_are_not_the_studys():
    study = read_study(sweeps={"data_size": {"fractions": []}})
    assert study.tasks == PAPER_TASKS
    assert analysis.size_sweep_tasks(study) == ()
    assert skipped_figures(study) == {"fig9": "its task qnli is not one of the study's tasks"}


def test_claims_read_every_run_once():
    study = read_study()
    runs = analysis.claims_runs(study)
    assert len(runs) == len(set(runs))
    assert set(study.runs_of_table1()) < set(runs)
    for task in study.table1_tasks:
        assert set(analysis.layer_sweep_runs(study, task)) <= set(runs)


def test_claims_read_the_baselines_of_internal_kds_that_are_no_rows():
    study = read_study(table1={"experiments": ["exp1.0", "exp3.0", "exp3.3"]})
    names = [row.name for row in analysis.claims_experiments(study)]
    assert names == ["exp1.0", "exp3.0", "exp3.3", "exp2.0", "exp3.2", "exp2.0t"]
    runs = analysis.claims_runs(study)
    assert set(study.runs_of(study.experiments["exp2.0t"], "rte")) <= set(runs)


def test_significance_reads_what_internal_kds_are_compared_with():
    """Also where it is not a row of Table 1, as the standard KD with the teacher's head here."""
    rows = ["exp1.0", "exp2.0", "exp3.0", "exp3.3"]
    study = read_study(table1={"experiments": rows}, comparison={"internal": "exp3.1"})
    runs = analysis.significance_runs(study)
    assert len(runs) == len(set(runs))
    names = {run.experiment for run in runs}
    assert names == {"exp2.0", "exp2.0t", "exp3.0", "exp3.1", "exp3.3"}


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


def test_all_figures_of_the_paper_are_included():
    names = {figure.name for figure in figures(read_study("paper"))}
    assert names == {f"fig{i}" for i in range(2, 12)} | {"attention_kl", "calibration"}


@pytest.mark.parametrize("name", ["fig3", "attention_kl"])
def test_null_removes_a_figure(name):
    study = read_study(figures={name: None})
    assert name not in {figure.name for figure in figures(study)}
    assert name not in skipped_figures(study)


def test_convergence_shows_teacher_and_the_experiments_named():
    study = read_study(seeds=[0])
    figure = next(figure for figure in figures(study) if figure.name == "fig10")
    runs = analysis.convergence_runs(study, figure)
    assert [run.experiment for run in runs] == ["exp1.0", "exp3.3", "exp3.4", "exp3.5"]
    assert {run.task for run in runs} == {"cola"}


def test_one_teacher_is_shared_by_all_seeds():
    study = read_study(seeds=[1, 2, 3], teacher={"seeds": [7]})
    teachers = {study.teacher_of(Run("rte", "exp2.0", 4, 100, seed)).seed for seed in study.seeds}
    assert teachers == {7}
    assert study.teacher_runs("rte") == (Run("rte", "exp1.0", 8, 100, 7),)


def test_each_seed_may_have_a_teacher_of_its_own():
    study = read_study(seeds=[1, 2, 3], teacher={"seeds": [1, 2, 3]})
    for seed in study.seeds:
        assert study.teacher_of(Run("rte", "exp2.0", 4, 100, seed)).seed == seed
    assert of(study.runs_of_table1(), task="rte", experiment="exp1.0") == [
        Run("rte", "exp1.0", 8, 100, seed) for seed in (1, 2, 3)
    ]
    teacher, standard, internal = analysis.shown_runs(study, "rte")
    assert teacher.seed == standard.seed == internal.seed == 1


def test_a_row_is_compared_with_standard_kd_of_its_own_head():
    study = read_study()
    baselines = {row.name: study.baseline_of(row) for row in analysis.candidates(study)}
    assert {name: row and row.name for name, row in baselines.items()} == {
        **dict.fromkeys(["exp3.0", "exp3.1", "exp3.2", "exp3.5", "exp3.6"], "exp2.0"),
        **dict.fromkeys(["exp3.3", "exp3.4"], "exp2.0t"),
    }


@pytest.mark.parametrize(
    "start",
    [
        {"head_init": "teacher_start"},
        {"init": "lower"},
        {"init_from": "teacher"},
        {"training": {"optimizer": "bert_adam"}},
    ],
)
def test_a_row_of_another_start_has_a_baseline_only_if_the_study_has_one(start):
    row = {"label": "x", "internal": {"cls_cosine": 1.0}, "output": {"soft": 1.0}, **start}
    alone = read_study(experiments={"new": row})
    assert alone.baseline_of(alone.experiments["new"]) is None
    soft = {"label": "y", "output": {"soft": 1.0}, **start}
    both = read_study(experiments={"new": row, "own-soft": soft})
    assert both.baseline_of(both.experiments["new"]) == both.experiments["own-soft"]
