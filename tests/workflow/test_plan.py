"""Plan and progress as a user calls them, before, while and after Snakemake runs."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from internal_kd.distillation.progress import read_progress
from tests.conftest import ROOT
from tests.workflow.fake_results import write_fake_results
from tests.workflow.snakemake import internal_kd, planned
from tests.workflow.tiny import make_project

OPTIONS = ("--configfile", "tiny.yaml")
LONG = (*OPTIONS, "--config", "student={training: {epochs: 100000}}")
RESULTS = Path("results/tiny")
# Logs of calls, the cache of a dry run, which any call drops, and known hashes of sources.
OWN = (".snakemake/log/", ".snakemake/iocache/", ".snakemake/internal_kd/")
PROGRESS = RESULTS / "checkpoints/rte-exp1.1-layers2-train100-seed0.progress.json"
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


def output_of(folder: Path, *arguments: str) -> str:
    """What a command prints."""
    result = internal_kd(folder, *arguments)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout


def to_do(plan: Path) -> dict[str, int]:
    """Jobs to do by rule, as in the table of a dry run."""
    counts: Counter[str] = Counter()
    with open(plan, newline="") as file:
        for row in csv.DictReader(file):
            counts[row["rule"]] += int(row["to_do"])
    return {rule: count for rule, count in counts.items() if count}


def files_in(folder: Path) -> dict[str, int]:
    """Files below a folder and when they were written, but for those of every Snakemake call."""
    return {
        name: file.stat().st_mtime_ns
        for file in folder.rglob("*")
        if file.is_file() and not (name := str(file.relative_to(folder))).startswith(OWN)
    }


def test_a_plan_lists_what_snakemake_would_do_and_runs_nothing(project, tmp_path):
    expected = planned(project, *OPTIONS)
    del expected["all"]
    before = files_in(project)
    text = output_of(project, "plan", *OPTIONS, "--out", str(tmp_path / "plan.csv"))
    jobs, done, basis = LINE.match(text.splitlines()[-1]).groups()
    assert (int(jobs), int(done)) == (sum(expected.values()), 16)
    assert basis == "estimate from plan.device cpu_core, nothing measured yet"
    assert to_do(tmp_path / "plan.csv") == expected
    assert (tmp_path / "plan.md").read_text().startswith("**What is to be done**")
    assert files_in(project) == before


def test_a_plan_of_one_table_although_one_has_been_made(project):
    text = output_of(project, "plan", *OPTIONS, "--", "results/tiny/table1.csv")
    assert text.splitlines()[-1].startswith("1 job to do and 7 done, ")


def test_a_changed_setting_is_planned_again_as_snakemake_would(project):
    """Made by hand, the runs have no record of their settings; what is missing is to be made."""
    more = ("--config", "seeds=[0, 1]")
    expected = planned(project, *OPTIONS, *more)
    found = json.loads(output_of(project, "plan", *OPTIONS, *more, "--json"))
    counts: Counter[str] = Counter()
    for row in found["rows"]:
        counts[row["rule"]] += row["to_do"]
    assert counts["distill"] == expected["distill"] > 0


def test_progress_of_a_study_at_rest(project):
    before = files_in(project)
    lines = output_of(project, "progress", *OPTIONS).splitlines()
    assert ["rte", "exp3.4", "3", ".", ".", ".", "."] in [line.split() for line in lines]
    assert lines[-1].startswith("9 of 9 runs and 7 of 23 other jobs of tiny done; ")
    assert files_in(project) == before


def test_results_may_be_in_another_folder(project, tmp_path):
    """Also where the command is called from a folder that has nothing else."""
    shutil.copytree(project / RESULTS, tmp_path / "results")
    study = yaml.safe_load((project / "tiny.yaml").read_text())
    study["results"] = str(tmp_path / "results")
    for section, name in (("base_model", "model"), ("data", "text")):
        study[section]["path"] = str(project / name)
    (tmp_path / "elsewhere.yaml").write_text(yaml.safe_dump(study))
    folder = tmp_path / "empty"
    folder.mkdir()
    options = ("--snakefile", str(project / "Snakefile"), "--configfile", "../elsewhere.yaml")
    lines = output_of(folder, "progress", *options).splitlines()
    assert lines[-1].startswith("9 of 9 runs and 7 of 23 other jobs of tiny done; ")
    assert {file.name for file in folder.iterdir()} == {".snakemake"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--config", "sutdy=x"), "error: config: sutdy: unknown key; did you mean 'study'?"),
        (
            ("--", "tabel1.csv"),
            "error: tabel1.csv cannot be planned, Snakemake reports: No rule to",
        ),
    ],
)
def test_mistakes_are_one_sentence(project, arguments, sentence):
    result = internal_kd(project, "plan", *OPTIONS, *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(sentence)
    assert result.stderr.count("\n") == 1


def test_the_papers_study_is_planned_offline(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    study = ("--configfile", str(ROOT / "studies" / "paper.yaml"), "--out", "plan.csv")
    text = output_of(tmp_path, "plan", "--snakefile", str(ROOT / "Snakefile"), *study)
    assert re.search(r"^528 jobs to do, about \d+ GPU-hours and [\d.]+ CPU-hours \(", text, re.M)
    assert to_do(tmp_path / "plan.csv")["distill"] == 430
    assert not (tmp_path / "results").exists()


@pytest.fixture(scope="module")
def at_work(tmp_path_factory) -> Iterator[tuple[Path, subprocess.Popen]]:
    """The tiny study with Snakemake working on a run of many epochs, in a session of its own."""
    folder = make_project(tmp_path_factory.mktemp("at_work"))
    options = ("--cores", "1", "--quiet", "all", *LONG)
    command = [sys.executable, "-m", "snakemake", *options, "--", f"{RUN}/metrics.json"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"PATH": path}
    with open(folder / "snakemake.log", "w") as log:
        process = subprocess.Popen(
            command, cwd=folder, stderr=log, env=environment, start_new_session=True
        )
    try:
        wait_for_epoch(folder / PROGRESS)
        yield folder, process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for_epoch(file: Path, seconds: float = 900) -> None:
    """Wait until a progress file has the score of an epoch."""
    end = time.monotonic() + seconds
    while (found := read_progress(file)) is None or found.score is None:
        assert time.monotonic() < end, f"{file}: {found}"
        time.sleep(0.5)


@pytest.mark.slow
def test_progress_of_a_running_study_does_not_disturb_it(at_work):
    folder, process = at_work
    locks, kept = (files_in(folder / ".snakemake" / name) for name in ("locks", "metadata"))
    text = output_of(folder, "progress", *LONG)
    assert re.search(
        r"^running:\n  exp1.1 on rte, 2 layers, 100 % of the data, seed 0: epoch \d+ of 100000, "
        r"step \d+ of 100000; last epoch: loss [\d.]+, validation accuracy [\d.]+, [\d.]+ s$",
        text,
        re.MULTILINE,
    )
    assert re.search(r"; about .+ left with 1 at a time \(", text)
    assert process.poll() is None
    assert files_in(folder / ".snakemake" / "locks") == locks != {}
    assert files_in(folder / ".snakemake" / "metadata") == kept != {}


@pytest.mark.slow
def test_a_stopped_study_resumes_where_it_stopped(at_work):
    folder, process = at_work
    os.killpg(process.pid, signal.SIGINT)
    process.wait(timeout=120)
    text = output_of(folder, "progress", *LONG)
    assert re.search(r"^stopped:\n  exp1.1 on rte, .*: epoch \d+ of 100000, ", text, re.MULTILINE)
