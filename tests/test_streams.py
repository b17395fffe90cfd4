"""No two roles share random numbers, students of one seed share theirs, and no seed is special."""

from itertools import product

import pytest

from internal_kd.streams import Streams, holdout_seed, stream_seed

OWN = ("head", "order", "dropout", "layers")
TASKS = ("cola", "qqp", "mrpc", "rte", "qnli")
SEEDS = range(50)


def test_no_two_streams_of_trainings_are_the_same() -> None:
    keys = list(product(OWN, ("teacher", "student"), TASKS, SEEDS))
    seeds = [getattr(Streams(role, task, seed), name) for name, role, task, seed in keys]
    assert len(set(seeds)) == len(keys)


def test_only_the_share_of_the_data_is_common_to_teacher_and_student() -> None:
    teacher, student = Streams("teacher", "rte", 3), Streams("student", "rte", 3)
    assert teacher.subset == student.subset
    assert all(getattr(teacher, name) != getattr(student, name) for name in OWN)


def test_the_held_out_rows_depend_only_on_the_task() -> None:
    found = [holdout_seed(task) for task in TASKS]
    assert len(set(found)) == len(TASKS)
    assert not set(found) & {Streams("student", task, 0).subset for task in TASKS}


def test_streams_are_the_same_in_every_process_and_version() -> None:
    """The first 63 bits of SHA-256 over purpose, role, task and seed, a line each."""
    assert stream_seed("head", "student", "cola", 0) == 2289668853380700077


@pytest.mark.parametrize("name", [*OWN, "subset"])
def test_numpy_and_torch_generators_accept_every_seed(name) -> None:
    for seed in SEEDS:
        assert 0 <= getattr(Streams("student", "rte", seed), name) < 2**63
