from pathlib import Path

import pytest

from internal_kd.planning.workflow import Job, jobs_of_summary, run_files
from internal_kd.specs.runs import Run

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


def test_files_of_a_job_are_grouped_and_finished_together() -> None:
    found = {job.files[0]: job for job in jobs_of_summary(SUMMARY, OUTPUTS, Path("none"))}
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
def test_the_run_of_a_job_is_parsed_from_its_path(file, run) -> None:
    assert Job("distill", (file,), finished=False).run == run


def test_a_run_with_a_checkpoint_is_not_finished(tmp_path) -> None:
    """A process that was killed while writing: its files and its checkpoint remain."""

    def trained() -> Job:
        return next(job for job in jobs_of_summary(SUMMARY, OUTPUTS, tmp_path) if job.trains)

    assert trained().finished
    run_files(tmp_path, trained()).checkpoints.mkdir(parents=True)
    assert not trained().finished


def test_each_file_of_a_rule_of_another_workflow_is_a_job(tmp_path) -> None:
    lines = [HEAD, line("one.txt", "theirs"), line("two.txt", "theirs", "update pending")]
    found = list(jobs_of_summary(lines, OUTPUTS, tmp_path))
    assert [(job.files, job.finished) for job in found] == [
        (("one.txt",), True),
        (("two.txt",), False),
    ]
