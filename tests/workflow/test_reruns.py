"""After a change those jobs run again whose result can differ: a tiny study, run for real."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.workflow.snakemake import planned, snakemake
from tests.workflow.tiny import ALL_JOBS, TARGET, make_project

pytestmark = pytest.mark.slow

PACKAGE = Path("src/internal_kd")
ATTENTION_LOSS = PACKAGE / "objectives/attention.py"
FORMATS = PACKAGE / "reporting/formats.py"
NEW_CODE = "\n\nNEW_VALUE = 1\n"


def options(*changes: str) -> list[str]:
    config = ["--config", *changes] if changes else []
    return ["--configfile", "tiny.yaml", *config, "--", TARGET]


@pytest.fixture
def project(finished_copy) -> Path:
    return finished_copy


@contextmanager
def edited(file: Path, text: str) -> Iterator[None]:
    """The file with another text, for a while."""
    before = file.read_text()
    assert text != before
    file.write_text(text)
    try:
        yield
    finally:
        file.write_text(before)


def appended(file: Path, text: str) -> str:
    return file.read_text() + text


def test_a_new_table_plans_every_job(tmp_path):
    assert planned(make_project(tmp_path), *options()) == ALL_JOBS


def test_everything_exists_and_a_second_run_does_nothing(project):
    run = project / "results/tiny/runs/rte/exp3.4/layers2/train100/seed0"
    left = {file.name for file in run.iterdir()}
    assert left == {"model", "history.csv", "manifest.json", "metrics.json", "predictions.parquet"}
    for suffix in (".csv", ".md", ".tex"):
        assert (project / TARGET).with_suffix(suffix).stat().st_size > 0
    logs = {file.name for file in (project / "results/tiny/logs").rglob("*.log")}
    benchmarks = {file.name for file in (project / "results/tiny/benchmarks").rglob("*.tsv")}
    assert {Path(name).stem for name in logs} == {Path(name).stem for name in benchmarks}
    assert planned(project, *options()) == {}


def test_comments_docstrings_and_time_stamps_rerun_nothing(project):
    for file in project.glob("src/**/*.py"):
        file.touch()
    for name in (ATTENTION_LOSS, FORMATS):
        file = project / name
        text = re.sub(r'"""(\w)', r'"""Reworded: \1', file.read_text(), count=1)
        with edited(file, f"# A remark.\n{text}\n# Another one.\n"):
            assert planned(project, *options()) == {}


def test_an_objective_reruns_the_students_that_have_it(project):
    file = project / ATTENTION_LOSS
    with edited(file, appended(file, NEW_CODE)):
        assert planned(project, *options()) == {"distill": 1, "table1": 1}


def test_the_registry_of_objectives_reruns_all_students(project):
    file = project / PACKAGE / "objectives/registry.py"
    with edited(file, appended(file, NEW_CODE)):
        assert planned(project, *options()) == {"distill": 3, "table1": 1}


def test_the_training_loop_reruns_all_trainings(project):
    file = project / PACKAGE / "distillation/training.py"
    with edited(file, appended(file, NEW_CODE)):
        assert planned(project, *options()) == {"teacher": 1, "distill": 3, "table1": 1}


def test_other_rows_in_a_data_file_rerun_all_that_reads_them(project):
    file = project / "text/rte/validation.parquet"
    before = file.read_bytes()
    pq.write_table(pq.read_table(file).slice(1), file)
    jobs = planned(project, *options())
    file.write_bytes(before)
    assert jobs == {"task_data": 1, "teacher": 1, "distill": 3, "table1": 1}


def test_building_the_dag_affects_no_result(project):
    file = project / PACKAGE / "study/settings.py"
    with edited(file, appended(file, NEW_CODE)):
        assert planned(project, *options()) == {}


def test_generated_language_does_not_affect_a_study_on_other_text(project):
    file = project / PACKAGE / "embedded/lexicon.py"
    with edited(file, appended(file, NEW_CODE)):
        assert planned(project, *options()) == {}


@pytest.mark.parametrize(
    ("change", "jobs"),
    [
        ("student={training: {learning_rate: 2.0e-3}}", {"distill": 3, "table1": 1}),
        ("distillation={temperature: 2.0}", {"distill": 2, "table1": 1}),
        ("distillation={internal_fraction: 0.7}", {"distill": 1, "table1": 1}),
        ("experiments={exp3.4: {label: SID}}", {"table1": 1}),
        ("teacher={training: {epochs: 2}}", {"teacher": 1, "distill": 2, "table1": 1}),
        ("data={max_length: 12}", {"task_data": 1, "teacher": 1, "distill": 3, "table1": 1}),
        ("seeds=[0, 1]", {"distill": 3, "table1": 1}),
    ],
)
def test_a_value_of_the_config_reruns_what_depends_on_it(project, change, jobs):
    assert planned(project, *options(change)) == jobs


def test_values_that_nothing_here_depends_on_rerun_nothing(project):
    changes = (
        "experiments={exp3.6: {output: {hard: 0.2}}}",
        "student={per_task: {qqp: {epochs: 4}}}",
        "data={language_seed: 3}",
        "pretraining={seed: 3}",
        "resources={distill: {mem_mb: 5000, runtime: 99}}",
    )
    assert planned(project, *options(*changes)) == {}


def test_table_code_reruns_the_table_and_only_that(project):
    """Last, because it runs for real."""
    history = project / "results/tiny/runs/rte/exp3.4/layers2/train100/seed0/history.csv"
    before = history.stat().st_mtime_ns
    file = project / FORMATS
    file.write_text(appended(file, NEW_CODE))
    assert planned(project, *options()) == {"table1": 1}
    result = snakemake(project, "--cores", "1", *options())
    assert result.returncode == 0, result.stdout
    assert history.stat().st_mtime_ns == before
    assert planned(project, *options()) == {}
