"""Which training examples a run sees: its share, and what is held out before that is drawn."""

from pathlib import Path

import numpy as np
import pytest

from internal_kd.data.encoding import EncodedSplit, load_tokens
from internal_kd.distillation.run import load_run_data
from internal_kd.specs.jobs import SelectionSettings
from internal_kd.specs.runs import Run
from internal_kd.streams import Streams
from tests.jobs.tiny_study import write_tokens

VALIDATION, HOLDOUT = SelectionSettings(), SelectionSettings("holdout", 0.25)


@pytest.fixture(scope="module")
def tokens(tmp_path_factory) -> Path:
    return write_tokens(tmp_path_factory.mktemp("tokens") / "rte.npz")


def data_of(tokens, role="student", seed=0, percent=100, selection=VALIDATION):
    run = Run("rte", "exp2.0", 2, percent, seed)
    return load_run_data(tokens, run, selection, Streams(role, "rte", seed))


def rows(split: EncodedSplit) -> list[int]:
    return split.indices.tolist()


def test_a_teacher_of_the_same_share_sees_the_rows_of_its_student(tokens) -> None:
    teacher, student = (data_of(tokens, role, 3, 50) for role in ("teacher", "student"))
    assert rows(teacher.splits["train"]) == rows(student.splits["train"])
    assert rows(data_of(tokens, seed=4, percent=50).splits["train"]) != rows(
        student.splits["train"]
    )


def test_the_best_epoch_is_chosen_on_the_development_split_unless_held_out(tokens) -> None:
    assert data_of(tokens).selection_split == "validation"
    assert "holdout" not in data_of(tokens).splits
    assert data_of(tokens, selection=HOLDOUT).selection_split == "holdout"


def test_the_same_rows_are_held_out_from_all_runs(tokens) -> None:
    every = [
        data_of(tokens, role, seed, percent, HOLDOUT)
        for role in ("teacher", "student")
        for seed in (0, 1, 2)
        for percent in (100, 40)
    ]
    (held,) = {tuple(rows(data.splits["holdout"])) for data in every}
    assert held
    assert not any(set(held) & set(rows(data.splits["train"])) for data in every)


def test_held_out_and_training_examples_are_the_whole_split_in_its_proportions(tokens) -> None:
    train = load_tokens(tokens)[0]["train"]
    data = data_of(tokens, selection=HOLDOUT)
    held, left = data.splits["holdout"], data.splits["train"]
    assert sorted([*rows(held), *rows(left)]) == rows(train)
    assert len(held) == round(len(train) * HOLDOUT.share)
    for label in np.unique(train.labels):
        share = HOLDOUT.share * np.sum(train.labels == label)
        assert abs(np.sum(held.labels == label) - share) < 1


def test_a_fraction_is_drawn_from_the_remaining_rows(tokens) -> None:
    half = data_of(tokens, percent=50, selection=HOLDOUT).splits["train"]
    left = data_of(tokens, selection=HOLDOUT).splits["train"]
    assert set(rows(half)) < set(rows(left))
    assert len(half) == round(len(left) / 2)
