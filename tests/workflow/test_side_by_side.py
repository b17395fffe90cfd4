"""Workflows at work at the same time: none removes or overwrites what is another's."""

import fcntl
import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.faults import forked
from tests.workflow.fake_results import write_fake_results
from tests.workflow.tiny import make_project

pytestmark = pytest.mark.slow

LOCK = Path("results/tiny/.internal-kd.lock")
TARGET = "results/tiny/table1.csv"
OPTIONS = ("--cores", "1", "--configfile", "tiny.yaml")


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.fixture
def project(tmp_path) -> Path:
    """The tiny study, of which only tables and figures remain to be made."""
    folder = make_project(made(tmp_path / "project"))
    write_fake_results(folder)
    return folder


def run(folder: Path, *more: str, target: str = TARGET) -> forked.Done:
    return forked.run("snakemake", [*OPTIONS, *more, "--", target], folder)


def is_held(lock: Path) -> bool:
    if not lock.is_file():
        return False
    with open(lock, encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@pytest.fixture
def at_work(project, tmp_path) -> Iterator[Path]:
    """The study with a running workflow, which is paused until the test ends."""
    process = forked.start("snakemake", [*OPTIONS, "--", TARGET], project, tmp_path / "output")
    while not is_held(project / LOCK):
        assert process.is_alive(), (tmp_path / "output").read_text()
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGSTOP)
    yield project
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.join()


def assert_refused(done: forked.Done, where: str) -> None:
    assert done.status == 1
    errors = [line for line in done.text.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, done.text
    assert errors[0].startswith("error: results: a workflow (process ")
    assert f"is using '{where}'; wait for it to end" in errors[0]
    assert "Traceback" not in done.text


def test_a_second_workflow_is_refused_also_after_snakemake_lost_its_locks(at_work):
    done = run(at_work)
    assert done.status == 1
    assert "cannot be locked" in done.text
    shutil.rmtree(at_work / ".snakemake/locks")
    assert_refused(run(at_work), "results/tiny")
    done = run(at_work, "-n")
    assert done.status == 0, done.text


def test_the_same_results_from_another_directory_are_refused(at_work, tmp_path):
    """Until the first workflow has ended, however it ended."""
    other = make_project(made(tmp_path / "other"))
    results = f"results={at_work}/results/tiny"
    target = f"{at_work}/{TARGET}"
    done = run(other, "--config", results, target=target)
    assert_refused(done, f"{at_work}/results/tiny")
    assert not (at_work / TARGET).exists()
    killed = json.loads((at_work / LOCK).read_text())["process"]
    os.killpg(killed, signal.SIGKILL)
    while is_held(at_work / LOCK):
        time.sleep(0.02)
    done = run(other, "--config", results, target=target)
    assert done.status == 0, done.text
    assert (at_work / TARGET).is_file()


def test_another_study_is_not_blocked_and_keeps_the_locks_of_others(at_work):
    """What Snakemake has locked for the first study is still locked when the second has ended."""
    before = sorted((at_work / ".snakemake/locks").iterdir())
    assert before
    shutil.copytree(at_work / "results/tiny", at_work / "results/more")
    (at_work / "results/more" / LOCK.name).unlink()
    changes = ("--config", "study=more", "results=results/more")
    done = run(at_work, *changes, target="results/more/table1.csv")
    assert done.status == 0, done.text
    assert sorted((at_work / ".snakemake/locks").iterdir()) == before
    assert json.loads((at_work / "results/more" / LOCK.name).read_text())["study"] == "more"
    assert run(at_work).status == 1


@pytest.mark.parametrize("ends", ["well", "badly"])
def test_a_workflow_removes_its_own_locks(project, ends):
    foreign = project / ".snakemake/locks/7.output.lock"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("results/elsewhere/file\n")
    if ends == "badly":
        run_folder = project / "results/tiny/runs/rte/exp2.0/layers2/train100/seed0"
        (run_folder / "metrics.json").write_text("{}")
    done = run(project)
    assert (done.status == 0) == (ends == "well"), done.text
    assert list(foreign.parent.iterdir()) == [foreign]
    assert not is_held(project / LOCK)


def test_read_only_commands_leave_no_files(tmp_path):
    argv = ["--cores", "1", "-s", str(ROOT / "Snakefile"), "-n", "--", "results/table1.csv"]
    done = forked.run("snakemake", argv, tmp_path)
    assert done.status == 0, done.text
    assert not (tmp_path / "results").exists()


def test_a_study_does_not_delete_another_that_is_called_as_a_folder_of_the_workflow(project):
    """Its results lie where the default study would make its base model."""
    shutil.move(project / "results/tiny", project / "results/base")
    before = sorted(project.joinpath("results/base").rglob("*"))
    changes = ("--config", "study=base", "results=results/base")
    done = run(project, *changes, target="results/base/table1.csv")
    assert done.status == 1
    assert "config: results: 'results/base' is used by the default study; write" in done.text
    assert sorted(project.joinpath("results/base").rglob("*")) == before
