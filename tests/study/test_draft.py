"""Checks see the types of a config also where a part of it is broken."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal_kd.errors import UserError
from internal_kd.specs.config import StudyConfig
from internal_kd.specs.experiments import Experiment
from internal_kd.specs.training import TrainingSettings
from internal_kd.study.config import Study, load
from internal_kd.study.draft import Draft, draft_of
from internal_kd.study.schema import schema_problems
from tests.study.configs import SCHEMA, read_config, read_study
from tests.study.test_schema import PATHS, WRONG


def draft(**changes: Any) -> Draft:
    config = read_config(**changes)
    return draft_of(config, {problem.path for problem in schema_problems(config, SCHEMA)})


def test_a_sound_config_is_the_studys_own() -> None:
    found = draft()
    assert found.config == read_study().config
    assert found.names == tuple(found.config.experiments)


def test_a_faulty_value_is_none_and_its_neighbours_are_typed() -> None:
    config = draft(
        student={"layers": "many", "training": {"epochs": 0}}, data={"limt": 1}, seeds=3
    ).config
    assert type(config) is StudyConfig
    assert (config.student.layers, config.seeds) == (None, None)
    assert type(config.student.training) is TrainingSettings
    assert (config.student.training.epochs, config.student.training.batch_size) == (None, 32)
    assert config.data == read_study().config.data


def test_a_faulty_experiment_is_left_out_and_its_name_is_known() -> None:
    found = draft(experiments={"exp2.0": {"init": "x"}, "new": 3})
    assert {*found.names} - {row.name for row in found.experiments} == {"exp2.0", "new"}
    assert {type(row) for row in found.experiments} == {Experiment}


@pytest.mark.parametrize("experiments", [{"x": 3}, 3, None, {4.0: {"label": "x"}}])
def test_without_a_sound_experiment_there_is_none(experiments) -> None:
    config = read_config() | {"experiments": experiments}
    faults = {problem.path for problem in schema_problems(config, SCHEMA)}
    assert draft_of(config, faults).experiments == ()


def test_an_experiment_that_is_no_mapping_is_one_problem() -> None:
    with pytest.raises(UserError, match=r"^config: experiments\.exp3\.6: is 3; it must be a map"):
        read_study(experiments={"exp3.6": 3}, reports=["table1", "readings"])


def test_a_whole_number_may_be_written_with_a_point() -> None:
    study = read_study(student={"layers": 2.0}, seeds=["3.0"], table4={"examples": 4.0})
    assert (study.student_layers, study.seeds, study.config.table4.examples) == (2, (3,), 4)
    assert type(study.student_layers) is int


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PATHS), WRONG), min_size=1, max_size=3))
def test_whatever_stands_in_a_config_it_is_a_study_or_a_sentence(changes) -> None:
    config = read_config()
    for path, value in changes:
        section: Any = config
        with suppress(KeyError, TypeError):
            for key in path[:-1]:
                section = section[key]
            section[path[-1]] = value
    with suppress(UserError):
        assert type(load(config)) is Study
