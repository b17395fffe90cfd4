"""A study on a real cluster, undisturbed and disturbed: the table is the same, byte for byte.

One module, because one machine can have one cluster at a time.
"""

import json
import re
import signal
from pathlib import Path

import pytest

from tests.slurm.conftest import fresh
from tests.slurm.started import PROFILE, TABLE, Started, Student, same_table, without
from tests.workflow.snakemake import planned, snakemake

pytestmark = [pytest.mark.slow, pytest.mark.slurm]

MOST_LOST_EPOCHS = 500  # of 4000; writing checkpoints takes a twentieth of the time at most
LOCAL = ("--configfile", "tiny.yaml")

# Jobs of the whole study, by the comments that SLURM has of them, and whether they hold a GPU.
HOLDS_GPU = {
    "rule_task_data_wildcards_rte": False,
    "rule_student_init_wildcards_upper_2": False,
    "rule_teacher_wildcards_rte_exp1.0_4_100_0": True,
    "rule_students_rte_distill": True,  # both students, packed
}


class Jobs:
    """The jobs of students since a test began, oldest first."""

    def __init__(self, cluster) -> None:
        self.cluster = cluster
        self.before = set(cluster.jobs())

    def __call__(self) -> list[dict[str, str]]:
        jobs = sorted(self.cluster.jobs().items())
        new = [job for number, job in jobs if number not in self.before]
        return [job for job in new if "distill" in job.get("Comment", "")]


@pytest.fixture
def jobs(cluster) -> Jobs:
    return Jobs(cluster)


@pytest.fixture
def project(undisturbed, tmp_path) -> Path:
    """The study before its last student was trained."""
    return without(undisturbed, tmp_path / "project", "exp2.0")


@pytest.fixture
def student(project) -> Student:
    return Student(project)


def slurm_log(project: Path, job: dict[str, str]) -> str:
    (file,) = (project / ".snakemake/slurm_logs").rglob(f"{job['JobId']}.log")
    return file.read_text()


def test_gpu_rules_hold_a_gpu_and_others_do_not(cluster, undisturbed, tmp_path):
    before = set(cluster.jobs())
    project = fresh(tmp_path)
    started = Started(project)
    assert started.end() == 0, started.text()
    jobs = [job for number, job in cluster.jobs().items() if number not in before]
    assert {job["Comment"]: job["JOB_GRES"] == "gpu:1" for job in jobs} == HOLDS_GPU
    assert len(jobs) == len(HOLDS_GPU)
    assert all(re.fullmatch("internal-kd_[-0-9a-f]+", job["JobName"]) for job in jobs)
    (pack,) = (job for job in jobs if "distill" in job["Comment"])
    assert pack["TimeLimit"] == "01:00:00"  # one after the other, half an hour each
    assert same_table(project, undisturbed)
    assert planned(project, *PROFILE, "--", TABLE) == {}


def test_a_run_out_of_time_then_cancelled_then_killed(cluster, project, student, jobs, undisturbed):
    """First its process is stopped, as if it hung; SLURM wakes it when its minute is over."""
    started = Started(
        project,
        *("--set-resources", "distill:runtime=attempt"),
        *("--default-resources", "slurm_extra=\"'--signal=TERM@10'\""),
    )
    started.wait_until(lambda: student.has_trained(100))
    timed_out = student.process()
    student.send(signal.SIGSTOP)

    started.wait_until(lambda: student.has_trained(300, before=timed_out))
    cancelled = student.process()
    resumed = student.resumed()
    cluster.call("scancel", jobs()[-1]["JobId"])

    started.wait_until(lambda: student.has_trained(300, before=cancelled))
    resumed += student.resumed()
    student.send(signal.SIGKILL)
    killed = student.epochs()[-1]

    assert started.end() == 0, started.text()
    assert same_table(project, undisturbed)
    found = jobs()
    assert [job["TimeLimit"] for job in found] == [f"00:0{number}:00" for number in range(1, 5)]
    assert [job["MinMemoryNode"] for job in found] == ["3000M", "6000M", "9000M", "12000M"]
    # Asked to end, a training loses nothing; killed, at most one interval between checkpoints.
    assert [stopped_epoch(slurm_log(project, job)) for job in found[:2]] == resumed
    assert 0 <= killed + 1 - student.resumed()[0] <= MOST_LOST_EPOCHS


def stopped_epoch(log: str) -> int:
    return int(re.findall(r"stopped by SIGTERM in epoch (\d+)", log)[0])


def test_an_orphan_of_a_killed_snakemake_finishes_what_the_next_one_needs(
    project, student, jobs, undisturbed
):
    first = Started(project)
    first.wait_until(lambda: student.has_trained(100))
    first.process.kill()
    first.process.wait()
    refused = snakemake(project, "--cores", "1", *LOCAL)
    assert refused.returncode != 0
    assert "--unlock" in refused.stdout
    assert snakemake(project, "--unlock", *LOCAL).returncode == 0
    second = Started(project)
    assert second.end() == 0, second.text()
    orphan, waiting = jobs()
    assert orphan["JobState"] == waiting["JobState"] == "COMPLETED"
    assert f"SLURM job {orphan['JobId']}, process" in student.log()
    assert "this run was already finished" in student.log()
    assert same_table(project, undisturbed)


def start_after(cluster, project: Path, file: Path, text: str, *arguments: str) -> Started:
    """Snakemake whose job waits in the queue while a file gets another text."""
    cluster.accept_jobs(False)
    started = Started(project, *arguments)
    started.wait_until(lambda: "has been submitted" in started.text())
    assert file.read_text() != text
    file.write_text(text)
    cluster.accept_jobs(True)
    return started


def test_code_edited_while_a_job_waits_is_refused_and_other_config_is_for_later(
    cluster, project, student, undisturbed
):
    loss, config = (
        project / "src/internal_kd/objectives/output.py",
        project / "tiny.yaml",
    )
    as_planned = config.read_text()

    other = loss.read_text() + "\n\nNEW_VALUE = 1\n"
    first = start_after(cluster, project, loss, other, "--retries", "0")
    assert first.end() != 0
    assert "changed since this job was planned" in first.text()
    assert not student.metrics.exists()

    second = start_after(cluster, project, config, as_planned.replace("epochs: 4000", "epochs: 3"))
    assert second.end() == 0, second.text()
    config.write_text(as_planned)
    assert planned(project, *LOCAL, "--", TABLE) == {}
    assert same_table(project, undisturbed)
    files = (student.metrics, Student(undisturbed).metrics)
    now, before = (json.loads(file.read_text())["code"] for file in files)
    assert now != before


def test_members_of_a_pack_that_are_done_stay_done(undisturbed, tmp_path, jobs):
    """One allocation for two students: the second is killed, the first is not trained again."""
    project = without(undisturbed, tmp_path / "project", "exp1.1", "exp2.0")
    both = [Student(project, name) for name in ("exp1.1", "exp2.0")]
    started = Started(project)
    started.wait_until(
        lambda: (
            any(one.metrics.exists() for one in both)
            and any(one.has_trained(1) and not one.metrics.exists() for one in both)
        )
    )
    done, trained = sorted(both, key=lambda one: one.metrics.exists(), reverse=True)
    metrics = done.metrics.read_bytes()
    trained.send(signal.SIGKILL)
    assert started.end() == 0, started.text()
    assert len(jobs()) == 2
    assert "this run was already finished" in done.log()
    assert done.metrics.read_bytes() == metrics
    assert trained.resumed()
    assert same_table(project, undisturbed)
