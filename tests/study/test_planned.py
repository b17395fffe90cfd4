"""Jobs get the config and the code that they were planned with."""

import os

import pytest

from internal_kd.fingerprint import code_fingerprint
from internal_kd.study.planned import PlannedCode, planned
from tests.study.configs import read_study


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """An environment of its own, without what another process has planned."""
    monkeypatch.setattr(os, "environ", {})


def test_who_plans_notes_todays_text_and_others_take_it():
    assert planned("config", lambda: "old", plans=True) == "old"
    assert planned("config", lambda: "edited", plans=False) == "old"
    assert planned("config", lambda: "edited", plans=True) == "edited"


def test_a_job_that_nobody_planned_takes_todays_text():
    assert planned("config", lambda: "today", plans=False) == "today"


def test_code_is_that_of_the_plan():
    study = read_study()
    os.environ["INTERNAL_KD_PLANNED_CODE_INTERNAL_KD_JOBS_STUDENT"] = "0123456789abcdef"
    assert PlannedCode(study, plans=False).job("student") == "0123456789abcdef"
    today = code_fingerprint("internal_kd.jobs.student")
    assert PlannedCode(study, plans=True).job("student") == today


def test_the_generated_language_counts_for_data_that_is_generated():
    code = PlannedCode(read_study(), plans=True)
    assert code.job("data") == code_fingerprint("internal_kd.jobs.data")
    real = PlannedCode(read_study("paper"), plans=True)
    assert real.job("data").endswith("-embedded")
    assert not real.job("teacher").endswith("-embedded")


def test_objectives_count_for_the_students_that_have_them():
    code = PlannedCode(read_study(), plans=True)
    assert code.students("exp2.0") != code.students("exp3.4")
    own = read_study().experiments["exp3.4"].modules
    assert code.students("exp3.4") == code_fingerprint("internal_kd.jobs.distill", *own)
