"""Students in step, in the workflow: the same table, and no job is done for the key's sake."""

import json
from pathlib import Path

import pytest

from tests.workflow.snakemake import planned, snakemake
from tests.workflow.tiny import TARGET, make_project

pytestmark = pytest.mark.slow

RUNS = Path("results/tiny/runs/rte")
LOGS = Path("results/tiny/logs/distill")
RUN = "layers2/train100/seed0"
ROWS = ("exp1.0", "exp1.1", "exp2.0", "exp3.2", "exp3.4")
STUDENTS = ROWS[1:]


def options(*more: str, together: bool = True, rows: tuple[str, ...] = ROWS) -> list[str]:
    config = f"distillation={{together: {str(together).lower()}}}"
    told = f"table1={{experiments: [{', '.join(rows)}]}}"
    return ["--cores", "1", "--configfile", "tiny.yaml", "--config", config, told, *more, "--"]


@pytest.fixture(scope="module")
def projects(tmp_path_factory) -> dict[bool, Path]:
    """The tiny study with the key switched on and off."""
    folders = {}
    for together in (True, False):
        folder = make_project(tmp_path_factory.mktemp(f"together-{together}"))
        result = snakemake(folder, *options(together=together), TARGET)
        assert result.returncode == 0, result.stdout
        folders[together] = folder
    return folders


def students(project: Path, name: str) -> int:
    """How many students were trained in step with a run."""
    metrics = json.loads((project / RUNS / name / RUN / "metrics.json").read_text())
    return metrics["speed"]["students"]


def test_the_table_and_the_runs_are_the_same(projects):
    tables = [(project / TARGET).read_bytes() for project in projects.values()]
    assert tables[0] == tables[1]
    for name in STUDENTS:
        for file in ("predictions.parquet", "model/model.safetensors"):
            left = [
                (project / RUNS / name / RUN / file).read_bytes() for project in projects.values()
            ]
            assert left[0] == left[1], (name, file)


def test_one_job_trains_and_the_others_take_the_files(projects):
    logs = {
        name: projects[True] / LOGS / f"rte-{name}-{RUN.replace('/', '-')}.log" for name in STUDENTS
    }
    assert all(students(projects[False], name) == 1 for name in STUDENTS)
    taken = [name for name, log in logs.items() if "was finished before" in log.read_text()]
    assert len(taken) >= 2
    assert all(students(projects[True], name) >= 3 for name in taken)
    kept = [
        path for path in (projects[True] / "results/tiny/checkpoints").iterdir() if path.is_dir()
    ]
    assert kept == []


def test_switching_the_key_or_another_companion_reruns_nothing(projects):
    for together, project in projects.items():
        assert planned(project, *options(together=together), TARGET) == {}
        assert planned(project, *options(together=not together), TARGET) == {}
        new = "experiments={exp9: {label: new, output: {hard: 1.0}}}"
        assert planned(project, *options(new, together=together), TARGET) == {}


def test_a_new_row_trains_itself_alone(projects):
    """Its companions are done, and nobody asked for others. Last: it runs for real."""
    project = projects[True]
    result = snakemake(project, *options(rows=(*ROWS, "exp3.1")), TARGET)
    assert result.returncode == 0, result.stdout
    assert students(project, "exp3.1") == 1
    assert not (project / RUNS / "exp3.0").exists()
    assert {path.name for path in (project / RUNS).iterdir()} == {*ROWS, "exp3.1"}
