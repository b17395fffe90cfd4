"""A whole study through the shipped profile, on a real cluster."""

import re

import pytest

from tests.slurm.conftest import fresh
from tests.slurm.started import PROFILE, TABLE, Started, same_table
from tests.workflow.snakemake import planned

pytestmark = [pytest.mark.slow, pytest.mark.slurm]

RULES = {
    "rule_task_data_wildcards_rte": False,
    "rule_student_init_wildcards_upper_2": False,
    "rule_teacher_wildcards_rte_exp1.0_4_100_0": True,
    "rule_students_rte_distill": True,  # both students, packed
}


def test_gpu_rules_hold_a_gpu_and_others_do_not(cluster, undisturbed, tmp_path):
    before = set(cluster.jobs())
    project = fresh(tmp_path)
    started = Started(project)
    assert started.end() == 0, started.text()
    jobs = [job for number, job in cluster.jobs().items() if number not in before]
    assert {job["Comment"]: "gres/gpu=1" in job["TRES"] for job in jobs} == RULES
    assert len(jobs) == len(RULES)
    assert all(re.fullmatch("internal-kd_[-0-9a-f]+", job["JobName"]) for job in jobs)
    (pack,) = (job for job in jobs if "distill" in job["Comment"])
    assert pack["TimeLimit"] == "01:00:00"  # one after the other, half an hour each
    assert same_table(project, undisturbed)
    assert planned(project, *PROFILE, "--", TABLE) == {}
