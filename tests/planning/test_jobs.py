import subprocess
import sys

import pytest

from internal_kd.errors import UserError
from internal_kd.planning import jobs
from internal_kd.planning.jobs import Job, jobs_of_summary, read_jobs, run_files
from internal_kd.specs.runs import Run
from tests.study.configs import read_config

HEAD = "output_file\tdate\trule\tlog-file(s)\tstatus\tplan"
FOLDER = "results/runs/rte/exp2.0/layers2/train100/seed0"
OUTPUTS = {"distill": 2, "table1": 1, "task_data": 2}


def line(file: str, rule: str, plan: str = "no update") -> str:
    return f"{file}\t-\t{rule}\t-\tok\t{plan}"


SUMMARY = [
    HEAD,
    line("results/data/rte/tokens.npz", "task_data"),
    line("results/data/rte/examples.parquet", "task_data"),
    line(f"{FOLDER}/model", "distill"),
    line(f"{FOLDER}/metrics.json", "distill"),
    line("results/data/cola/tokens.npz", "task_data"),
    line("results/data/cola/examples.parquet", "task_data", "update pending"),
    line("results/table1.csv", "table1", "update pending"),
]


def test_files_of_a_job_make_one_job_that_is_finished_if_all_are() -> None:
    found = {job.files[0]: job for job in jobs_of_summary(SUMMARY, OUTPUTS)}
    assert {file: job.finished for file, job in found.items()} == {
        "results/data/rte/tokens.npz": True,
        f"{FOLDER}/model": True,
        "results/data/cola/tokens.npz": False,
        "results/table1.csv": False,
    }


@pytest.mark.parametrize(
    ("file", "run"),
    [
        (f"{FOLDER}/model", Run("rte", "exp2.0", 2, 100, 0)),
        (
            "results/attention/rte-my-exp-layers2-train50-seed11.parquet",
            Run("rte", "my-exp", 2, 50, 11),
        ),
        ("results/table1.csv", None),
        ("results/init/upper/layers2", None),
    ],
)
def test_the_run_of_a_job_stands_in_its_path(file, run) -> None:
    assert Job("distill", (file,), finished=False).run == run


def test_a_run_with_a_checkpoint_is_not_finished(tmp_path, monkeypatch) -> None:
    """A process that was killed while it wrote its files leaves them, and its checkpoint."""
    config = read_config(results=str(tmp_path / "results"))
    answer = subprocess.CompletedProcess([], 0, stdout="\n".join(SUMMARY))
    monkeypatch.setattr(jobs.subprocess, "run", lambda *_, **__: answer)
    told = {"outputs": OUTPUTS, "rerun_triggers": ["mtime"]}

    def trained() -> Job:
        found = read_jobs(config, told, "Snakefile", sys.executable)
        return next(job for job in found if job.trains)

    assert trained().finished
    run_files(tmp_path / "results", trained()).checkpoints.mkdir(parents=True)
    assert not trained().finished


def test_targets_that_snakemake_does_not_know_are_told(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = read_config(plan={"targets": ["results/tabel1.csv"]})
    told = {"outputs": OUTPUTS, "rerun_triggers": ["mtime"]}
    with pytest.raises(UserError, match=r"plan.targets: results/tabel1.csv cannot be planned"):
        read_jobs(config, told, tmp_path / "Snakefile", sys.executable)
