import json
import re

import msgspec
import pytest

from internal_kd.specs.jobs import SelectionSettings, encode
from internal_kd.specs.runs import Run
from internal_kd.study import settings
from internal_kd.study.analysis_settings import table1_settings
from tests.study.configs import read_study


def run(experiment: str, task: str = "rte") -> Run:
    return Run(task, experiment, layers=4, percent=100, seed=0)


def distill(experiment: str, task: str = "rte", **changes) -> str:
    return settings.as_json(
        encode(settings.student_job(read_study(**changes), run(experiment, task)))
    )


def test_path_of_a_run():
    assert run("exp3.4").path("results") == "results/runs/rte/exp3.4/layers4/train100/seed0"


def test_settings_of_single_tasks_take_precedence():
    study = read_study(student={"per_task": {"rte": {"epochs": 77}}})
    job = settings.student_job(study, run("exp2.0", "rte"))
    assert job.training.epochs == 77
    other = settings.student_job(study, run("exp2.0", "qqp"))
    assert other.training.epochs == study.config.student.training.epochs


def test_student_settings_contain_only_what_affects_the_run():
    same = {
        "exp1.1": {"temperature": 2.0, "internal_fraction": 0.5, "signals": {"budget_mb": 9}},
        "exp2.0": {"internal_fraction": 0.5, "cosine_threshold": 0.5, "restart_schedule": False},
        "exp3.2": {"internal_fraction": 0.5, "cosine_threshold": 0.5, "restart_schedule": False},
    }
    for experiment, changes in same.items():
        assert distill(experiment) == distill(experiment, distillation=changes)
    for experiment, changes in (
        ("exp2.0", {"temperature": 2.0}),
        ("exp3.2", {"signals": {"source": "live"}}),
        ("exp3.4", {"internal_fraction": 0.5}),
        ("exp3.4", {"cosine_threshold": 0.5}),
        ("exp3.3", {"restart_schedule": False}),
    ):
        assert distill(experiment) != distill(experiment, distillation=changes)


def test_labels_reach_the_table_only():
    label = {"exp3.4": {"label": "new"}}
    assert distill("exp3.4") == distill("exp3.4", experiments=label)
    before = table1_settings(read_study())
    after = table1_settings(read_study(experiments=label))
    assert before != after


def test_other_experiments_do_not_matter():
    changes = {"exp3.5": {"head_init": "teacher"}}
    assert distill("exp3.4") == distill("exp3.4", experiments=changes)
    assert distill("exp3.5") != distill("exp3.5", experiments=changes)


def test_limit_of_another_task_does_not_matter():
    plain, limited = read_study(), read_study(data={"limit": {"cola": {"train": 10}}})
    assert settings.task_data_settings(plain, "rte") == settings.task_data_settings(limited, "rte")
    assert settings.task_data_settings(limited, "cola")["limit"] == {"train": 10}


def test_real_data_do_not_depend_on_the_generated_language():
    plain, other = read_study("paper"), read_study("paper", data={"language_seed": 5})
    assert settings.task_data_settings(plain, "rte") == settings.task_data_settings(other, "rte")


def test_pretraining_settings_are_passed_only_to_their_stage():
    chosen = settings.base_model_settings(read_study())
    assert chosen == {"layers": 8}
    study = read_study(base_model={"source": "pretrain"})
    assert settings.base_model_settings(study) == msgspec.to_builtins(study.config.pretraining)
    paper = read_study("paper")
    assert settings.base_model_settings(paper) == msgspec.to_builtins(paper.config.base_model)


def test_each_source_of_the_base_model_has_its_own_job():
    jobs = [settings.base_model_job(study) for study in (read_study(), read_study("paper"))]
    assert jobs == ["embedded", "base"]
    assert settings.base_model_job(read_study(base_model={"source": "pretrain"})) == "pretrain"


def test_initial_students_are_shared_by_their_folder_names():
    expected = {
        "upper": ("upper", "upper"),
        "lower": ("lower", "lower"),
        "random": ("random-rte-seed3", "random"),
        (2, 4, 6, 8): ("2-4-6-8", [2, 4, 6, 8]),
    }
    for init, (name, given) in expected.items():
        study = read_study(student={"layers": 4}, experiments={"exp1.1": {"init": given}})
        assert settings.init_name(study, Run("rte", "exp1.1", 4, 100, 3)) == name
        assert settings.init_teacher(study, name) is None
        back = settings.student_init_settings(name, layers=4)
        drawn = {"task": "rte", "seed": 3} if init == "random" else {}
        assert back == {"init": given, "layers": 4} | drawn


@pytest.mark.parametrize("init", ["last", [2, 4, 6]])
def test_students_of_a_teacher_share_a_start_where_they_share_the_teacher(init):
    run = Run("rte", "exp1.1", layers=3, percent=10, seed=2)
    of_teacher = {"exp1.1": {"init_from": "teacher", "init": init}}
    own, same = {"seeds": [0, 2]}, {"data_size": {"teacher": "same"}}
    cut = init if isinstance(init, str) else "2-4-6"
    for changes, begin, teacher in (
        ({}, "teacher-rte-train100-seed0", Run("rte", "exp1.0", 8, 100, 0)),
        ({"teacher": own}, "teacher-rte-train100-seed2", Run("rte", "exp1.0", 8, 100, 2)),
        ({"sweeps": same}, "teacher-rte-train10-seed2", Run("rte", "exp1.0", 8, 10, 2)),
    ):
        study = read_study(seeds=[0, 2], experiments=of_teacher, **changes)
        name = settings.init_name(study, run)
        assert name == f"{begin}-{cut}"
        assert settings.init_teacher(study, name) == teacher == study.teacher_of(run)
        assert settings.student_init_settings(name, 3) == {"init": init, "layers": 3}
        assert re.fullmatch(settings.INIT_NAME, name)


def test_a_student_that_only_starts_from_its_teacher_reads_no_signals():
    changes = {"exp1.1": {"init_from": "teacher"}}
    assert json.loads(distill("exp1.1", experiments=changes))["distillation"]["signals"] is None


def test_training_settings_of_an_experiment_take_precedence():
    study = read_study(
        distillation={"restart_schedule": True},
        experiments={"exp3.4": {"training": {"optimizer": "bert_adam", "restart_schedule": False}}},
    )
    found = {
        name: settings.student_job(study, Run("rte", name, 4, 100, 0)).training
        for name in ("exp3.2", "exp3.3", "exp3.4")
    }
    assert {name: own.restart_schedule for name, own in found.items()} == {
        "exp3.2": False,
        "exp3.3": True,
        "exp3.4": False,
    }
    assert {name: own.optimizer for name, own in found.items()} == {
        "exp3.2": "adamw",
        "exp3.3": "adamw",
        "exp3.4": "bert_adam",
    }


def test_only_students_with_an_untrained_head_of_a_teacher_depend_on_its_seed():
    study = read_study(
        seeds=[1, 2],
        teacher={"seeds": [1, 2]},
        experiments={"exp3.4": {"head_init": "teacher_start"}},
    )
    for name, seed in (("exp3.3", None), ("exp3.4", 2)):
        run = Run("rte", name, 4, 100, 2)
        assert settings.student_job(study, run).teacher_seed == seed


def test_the_share_held_out_counts_only_where_something_is_held_out():
    run = Run("rte", "exp3.4", 4, 100, 0)
    kept = {
        split: settings.student_job(read_study(selection={"split": split}), run).selection
        for split in ("validation", "holdout")
    }
    assert kept == {
        "validation": SelectionSettings(),
        "holdout": SelectionSettings("holdout", 0.1),
    }


def test_json_does_not_depend_on_the_order_of_keys():
    assert settings.as_json({"b": 1, "a": {"d": 2, "c": 3}}) == '{"a":{"c":3,"d":2},"b":1}'
    assert json.loads(distill("exp3.6"))["experiment"]["output"] == {"soft": 1.0, "hard": 0.1}


def test_the_signal_budget_is_not_a_setting_of_a_run():
    assert distill("exp3.4") == distill("exp3.4", distillation={"signals": {"budget_mb": 7}})
    assert distill("exp3.4") != distill("exp3.4", distillation={"signals": {"source": "live"}})


def test_relation_heads_are_a_setting_of_relations_alone():
    relations = {"exp3.2": {"internal": {"value_relation_kl": 1.0}}}
    heads = {"relation_heads": 8}
    assert distill("exp3.2") == distill("exp3.2", distillation=heads)
    changed = distill("exp3.2", distillation=heads, experiments=relations)
    assert changed != distill("exp3.2", experiments=relations)
    assert json.loads(changed)["distillation"]["relation_heads"] == 8


def test_a_map_of_layers_is_a_setting_of_losses_between_layers_alone():
    reversed_map = {name: {"layer_map": "reversed"} for name in ("exp2.0", "exp3.0")}
    assert distill("exp2.0") == distill("exp2.0", experiments=reversed_map)
    assert distill("exp3.0") != distill("exp3.0", experiments=reversed_map)
