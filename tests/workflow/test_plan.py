"""Plan and progress as a user asks for them, before, while and after Snakemake works."""

import csv
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.workflow.fake_results import write_fake_results
from tests.workflow.snakemake import planned, snakemake
from tests.workflow.tiny import make_project

OPTIONS = ("--cores", "1", "--quiet", "all", "--configfile", "tiny.yaml")
LONG = (*OPTIONS, "--config", "student={training: {epochs: 100000}}")
RESULTS = Path("results/tiny")
RUN = RESULTS / "runs/rte/exp1.1/layers2/train100/seed0"
LINE = re.compile(
    r"^(\d+) jobs to do and (\d+) done, about [\d.]+ CPU-hours \((.+)\), .+ GB on disk$"
)


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """The tiny study, its trainings done."""
    folder = make_project(tmp_path_factory.mktemp("plan"))
    write_fake_results(folder)
    return folder


def ask(folder: Path, *arguments: str) -> str:
    """What is printed below Snakemake's own words."""
    result = snakemake(folder, *arguments)
    assert result.returncode == 0, result.stdout
    return result.stdout


def to_do(plan: Path) -> dict[str, int]:
    """Jobs to do by rule, as in the table of a dry run."""
    counts: Counter[str] = Counter()
    with open(plan, newline="") as file:
        for row in csv.DictReader(file):
            counts[row["rule"]] += int(row["to_do"])
    return {rule: count for rule, count in counts.items() if count}


def files_in(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def test_a_plan_is_what_snakemake_would_do_and_does_none_of_it(project):
    expected = planned(project, *OPTIONS[4:])
    del expected["all"]
    before = files_in(project / RESULTS)
    text = ask(project, *OPTIONS, "--", "plan")
    jobs, done, basis = LINE.match(text.splitlines()[-1]).groups()
    assert (int(jobs), int(done)) == (sum(expected.values()), 16)
    assert basis == "estimate from plan.device cpu_core, nothing measured yet"
    assert to_do(project / RESULTS / "plan.csv") == expected
    assert files_in(project / RESULTS) - before == {"plan.csv", "plan.md", "logs/plan.log"}


def test_a_plan_of_one_table_although_one_has_been_made(project):
    target = "plan={targets: [results/tiny/table1.csv]}"
    text = ask(project, *OPTIONS, "--config", target, "--", "plan")
    assert text.splitlines()[-1].startswith("1 job to do and 7 done, ")


def test_progress_of_a_study_at_rest(project):
    lines = ask(project, *OPTIONS, "--", "progress").splitlines()
    assert ["rte", "exp3.4", "3", ".", ".", ".", "."] in [line.split() for line in lines]
    assert lines[-1].startswith("9 of 9 runs and 7 of 23 other jobs of tiny done; ")


def test_the_papers_study_is_planned_offline(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    study = ("--configfile", str(ROOT / "studies" / "paper.yaml"))
    snakefile = ("--snakefile", str(ROOT / "Snakefile"))
    text = ask(tmp_path, "--cores", "1", "--quiet", "all", *snakefile, *study, "--", "plan")
    assert re.search(r"^528 jobs to do, about \d+ GPU-hours and [\d.]+ CPU-hours \(", text, re.M)
    assert to_do(tmp_path / "results" / "paper" / "plan.csv")["distill"] == 430
    assert files_in(tmp_path / "results") == {
        "paper/plan.csv",
        "paper/plan.md",
        "paper/logs/plan.log",
    }


@pytest.fixture(scope="module")
def at_work(tmp_path_factory) -> Iterator[tuple[Path, subprocess.Popen]]:
    """The tiny study with Snakemake at work on a run of many epochs, in a session of its own."""
    folder = make_project(tmp_path_factory.mktemp("at_work"))
    command = [sys.executable, "-m", "snakemake", *LONG, "--", f"{RUN}/metrics.json"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"PATH": path}
    with open(folder / "snakemake.log", "w") as log:
        process = subprocess.Popen(
            command, cwd=folder, stderr=log, env=environment, start_new_session=True
        )
    try:
        wait_for(folder / RESULTS / "logs/distill/rte-exp1.1-layers2-train100-seed0.log", "epoch 2")
        yield folder, process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(log: Path, text: str, seconds: float = 900) -> None:
    """Wait until a log says something."""
    end = time.monotonic() + seconds
    while not (log.is_file() and text in log.read_text()):
        assert time.monotonic() < end, f"{log} does not say '{text}'"
        time.sleep(0.5)


@pytest.mark.slow
def test_progress_looks_at_a_study_at_work_and_disturbs_nothing(at_work):
    folder, process = at_work
    locks = files_in(folder / ".snakemake" / "locks")
    text = ask(folder, *LONG, "--", "progress")
    assert re.search(
        r"^running:\n  exp1.1 on rte, 2 layers, 100 % of the data, seed 0: epoch \d+ of 100000, "
        r"step \d+ of 100000; last epoch: loss [\d.]+, validation accuracy [\d.]+, [\d.]+ s$",
        text,
        re.MULTILINE,
    )
    assert re.search(r"; about .+ left with 1 at a time \(", text)
    assert process.poll() is None
    assert files_in(folder / ".snakemake" / "locks") == locks != set()


@pytest.mark.slow
def test_a_study_that_was_stopped_goes_on_from_where_it_was(at_work):
    folder, process = at_work
    os.killpg(process.pid, signal.SIGINT)
    process.wait(timeout=120)
    text = ask(folder, *LONG, "--", "progress")
    assert re.search(r"^stopped:\n  exp1.1 on rte, .*: epoch \d+ of 100000, ", text, re.MULTILINE)
