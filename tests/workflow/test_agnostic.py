"""A tiny study whose student starts from a general one, made for real from text files."""

import csv
import gzip
from pathlib import Path

import pytest
import yaml

from tests.workflow.snakemake import internal_kd, planned, snakemake
from tests.workflow.test_reruns import NEW_CODE, PACKAGE, appended, edited
from tests.workflow.tiny import STUDY, TARGET, make_project

pytestmark = pytest.mark.slow

TRAINING = {"steps": 8, "evaluate_every": 4, "batch_size": 4}
GENERAL = {
    "corpus": {"source": "files", "path": "plain", "max_length": 16, "held_out": 8},
    "agnostic": {"att": {"internal": {"attention_mse": 1.0}, "training": TRAINING}},
    "experiments": {"tuned": {"label": "Tuned", "output": {"hard": 1.0}, "init_from": "att"}},
    "table1": {"experiments": ["exp1.0", "exp1.1", "tuned"]},
}
OPTIONS = ("--configfile", "tiny.yaml", "--", TARGET)
MODEL = "results/tiny/agnostic/att/layers2/seed0"


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    folder = make_project(tmp_path_factory.mktemp("agnostic"))
    lines = [f"w{k % 19} w{k * k % 23} w{k % 7}" for k in range(80)]
    (folder / "plain").mkdir()
    (folder / "plain/a.txt").write_bytes("\r\n\r\n".join(lines[:40]).encode())
    (folder / "plain/b.txt.gz").write_bytes(gzip.compress("\n".join(lines[40:]).encode()))
    (folder / "tiny.yaml").write_text(yaml.safe_dump(STUDY | GENERAL))
    rows = {"table1": {"experiments": ["exp1.0", "exp1.1"]}}
    (folder / "without.yaml").write_text(yaml.safe_dump(STUDY | rows))
    jobs = planned(folder, *OPTIONS)
    assert (jobs["corpus"], jobs["agnostic"], jobs["student_init"]) == (1, 1, 1)
    result = snakemake(folder, "--cores", "2", *OPTIONS)
    assert result.returncode == 0, result.stdout
    return folder


def test_the_general_student_and_the_table_are_there(project) -> None:
    made = {file.name for file in (project / MODEL).iterdir()}
    assert made == {"history.csv", "manifest.json", "metrics.json", "model"}
    with open(project / TARGET, newline="") as file:
        assert "tuned" in {row["experiment"] for row in csv.DictReader(file)}
    assert planned(project, *OPTIONS) == {}


def test_other_settings_of_it_rerun_it_and_what_starts_from_it(project) -> None:
    change = "agnostic={att: {training: {learning_rate: 1.0e-4}}}"
    jobs = planned(project, "--config", change, *OPTIONS)
    assert jobs == {"agnostic": 1, "distill": 1, "table1": 1}


def test_its_own_code_reruns_no_other_student(project) -> None:
    file = project / PACKAGE / "distillation/agnostic.py"
    with edited(file, appended(file, NEW_CODE)):
        assert planned(project, *OPTIONS) == {"agnostic": 1, "distill": 1, "table1": 1}


def test_plan_and_progress_know_it(project) -> None:
    for command in ("plan", "progress"):
        done = internal_kd(project, command, *OPTIONS)
        assert done.returncode == 0, done.stderr
        assert "att" in done.stdout


def test_without_general_students_there_is_nothing_more_to_do(project) -> None:
    """The same study as if there were none: neither text nor student, and no run made again."""
    jobs = planned(project, "--configfile", "without.yaml", "--", TARGET)
    assert set(jobs) <= {"table1"}


def test_other_text_reruns_it(project) -> None:
    """Last, because the file is newer than its tokens from then on."""
    file = project / "plain/a.txt"
    with edited(file, appended(file, "w1 w2 w3\n")):
        jobs = planned(project, *OPTIONS)
    assert jobs == {"corpus": 1, "agnostic": 1, "distill": 1, "table1": 1}
