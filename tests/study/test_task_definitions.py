"""Tasks that a config defines: what their jobs and reports get, and mistakes in them."""

from pathlib import Path

import pytest

from internal_kd.errors import UserError
from internal_kd.study.config import Study
from internal_kd.study.files import task_files
from internal_kd.study.reports import reports
from internal_kd.study.settings import task_data_settings, teacher_job
from tests.study.configs import read_study

NO_SWEEPS = {"data_size": {"fractions": []}, "layers": {"counts": []}}


@pytest.fixture
def definition(tmp_path: Path) -> dict:
    """A task of two files."""
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("t,y\nx,k\ny,l\n")
    files = {"train": str(tmp_path / "a.csv"), "validation": str(tmp_path / "b.csv")}
    return {"text": ["t"], "label": "y", "files": files, "title": "Mine", "metrics": ["mcc"]}


def study_of(definition: dict, name: str = "mine", **more: object) -> Study:
    chosen = {"tasks": [name], "sweeps": NO_SWEEPS, **more}
    return read_study(task_definitions={name: definition}, **chosen)


def test_jobs_and_reports_get_what_they_need_of_a_task(definition) -> None:
    study = study_of(definition)
    (run,) = study.teacher_runs("mine")
    assert teacher_job(study, run).training.keep_metric == "mcc"
    settings = task_data_settings(study, "mine")
    assert settings["spec"]["text_columns"] == ("t",)
    assert settings["own"]["label"] == "y"
    assert set(settings["files"]) == {"train", "validation"}
    assert task_files(study.config.data, study.definition("mine"), "mine") == [
        *definition["files"].values()
    ]
    table1 = next(report for report in reports(study) if report.name == "table1")
    assert table1.content.task_specs["mine"].title == "Mine"


def test_what_tables_show_is_no_setting_of_the_data(definition) -> None:
    shown = {"title": "Other", "metrics": ["accuracy", "mcc"], "select": "mcc"}
    first, second = (study_of(d) for d in (definition, definition | shown))
    assert task_data_settings(first, "mine") == task_data_settings(second, "mine")
    (run,) = first.teacher_runs("mine")
    assert teacher_job(first, run) == teacher_job(second, run)


def test_a_study_without_tasks_of_glue_sends_nothing_to_its_server(definition) -> None:
    assert "glue_submission" not in {report.name for report in reports(study_of(definition))}
    with pytest.raises(UserError, match="glue_submission cannot be made, because no task"):
        study_of(definition, reports=["glue_submission"])


def test_definitions_change_no_other_task(definition) -> None:
    plain = read_study()
    more = study_of(definition, tasks=[*plain.config.tasks, "mine"])
    for task in plain.config.tasks:
        assert task_data_settings(plain, task) == task_data_settings(more, task)
        assert plain.task_specs[task] == more.task_specs[task]


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("cola", {}, "task_definitions.cola: is the name of a task of GLUE"),
        ("my-task", {}, "task_definitions.my-task: a task's name has letters, digits and under"),
        ("mine", {"text": ["index"]}, "mine.text: a column of texts cannot be called 'index'"),
        ("mine", {"text": ["a", "b", "c"]}, "mine.text: is ['a', 'b', 'c']; it must be one col"),
        ("mine", {"labels": ["a"]}, "mine.labels: has fewer than two classes"),
        ("mine", {"labels": [0, 1]}, "labels[0]: is 0; it must be"),
        ("mine", {"metrics": ["acuracy"]}, "'acuracy' is not allowed; did you mean 'accuracy'?"),
        (
            "mine",
            {"labell": "y"},
            "mine.labell: unknown key; did you mean 'label'",
        ),
        ("mine", {"format": {"delimiter": ";;"}}, "delimiter: is"),
        (
            "mine",
            {"files": {"train": "none.csv", "validation": {"share": 0.1}}},
            "mine.files.train: 'none.csv' does not exist; name a file or folder",
        ),
        (
            "mine",
            {"files": {"train": "config.yaml", "validation": {"share": 0.1}}},
            "the form of 'config.yaml' is unknown; its name must end in .csv,",
        ),
        (
            "mine",
            {"files": {"train": "config.yaml", "validation": {"share": 0.7}}},
            "validation.share: is 0.7; it must be at most 0.5",
        ),
    ],
)
def test_a_mistake_is_one_sentence(definition, name, change, sentence) -> None:
    with pytest.raises(UserError) as error:
        study_of({**definition, **change}, name)
    assert sentence in str(error.value)


def test_an_unknown_task_is_compared_with_those_defined(definition) -> None:
    with pytest.raises(UserError, match="unknown task 'mien'; did you mean 'mine'"):
        study_of(definition, tasks=["mien"])
