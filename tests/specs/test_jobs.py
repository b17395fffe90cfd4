"""What a job is given: the same types that the config is read into, there and back."""

import json
from dataclasses import replace

import msgspec
import pytest

from internal_kd.specs.experiments import Experiment
from internal_kd.specs.jobs import TeacherJob, decode, encode
from internal_kd.specs.runs import Run
from internal_kd.specs.students import StudentJob, acting, decode_either
from internal_kd.study.settings import as_json, student_job, teacher_job
from tests.study.configs import read_study

STUDIES = ("default", "quick", "paper", "longer", "readings")


def run_of(study, experiment: str) -> Run:
    return Run(study.tasks[0], experiment, study.config.student.layers, 100, study.seeds[0])


@pytest.mark.parametrize("name", STUDIES)
def test_the_loop_reads_the_experiment_that_yaml_gives(name) -> None:
    study = read_study() if name == "default" else read_study(name)
    for experiment in study.experiments.values():
        run = run_of(study, experiment.name)
        if experiment.is_teacher:
            job = teacher_job(study, run)
            assert decode(json.loads(as_json(encode(job))), TeacherJob) == job
            continue
        student = student_job(study, run)
        read = decode(json.loads(as_json(encode(student))), StudentJob)
        assert read == student
        assert type(read.experiment) is Experiment
        assert read.experiment == acting(experiment)
        unnamed = replace(experiment, name="", label="", paper_row=None, reading_of=None)
        assert (
            replace(read.experiment, init=experiment.init, training=experiment.training) == unnamed
        )
        assert read.experiment.needs_teacher == experiment.needs_teacher


def test_a_label_is_not_part_of_a_job() -> None:
    study = read_study()
    other = read_study(experiments={"exp3.4": {"label": "another"}})
    run = run_of(study, "exp3.4")
    assert encode(student_job(study, run)) == encode(student_job(other, run))


def test_settings_of_teachers_and_students_are_distinguished() -> None:
    study = read_study()
    for job in (
        teacher_job(study, run_of(study, "exp1.0")),
        student_job(study, run_of(study, "exp1.1")),
    ):
        assert decode_either(encode(job)) == job


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"run": None}, "run"),
        ({"training": {"epochs": "many"}}, "training.epochs"),
        ({"teacher_seed": "0"}, "teacher_seed"),
    ],
)
def test_invalid_settings_are_reported_with_their_key(change, place) -> None:
    study = read_study()
    settings = encode(student_job(study, run_of(study, "exp3.4")))
    with pytest.raises(msgspec.ValidationError, match=place):
        decode(settings | change, StudentJob)
