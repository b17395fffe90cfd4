"""Every contestant minimises the same and takes the steps that are timed."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks import measure as measuring
from benchmarks.agreement import compare
from benchmarks.contestants.contestant import NotMeasuredError
from benchmarks.contestants.field import FIELD, Entry
from benchmarks.contestants.ours import Ours
from benchmarks.measure import DisagreementError, measure
from benchmarks.reference import LossAndGradients, reference
from tests.benchmarks.workloads import small_workload

ALL = np.arange(8)
NAMED = [pytest.param(entry, id=entry.name) for entry in FIELD]


@pytest.fixture(scope="module")
def workload():
    return small_workload()


@pytest.fixture(scope="module")
def true(workload):
    return reference(workload, ALL)


def enter(entry, workload):
    try:
        return entry.make(workload)
    except NotMeasuredError as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("entry", NAMED)
def test_contestant_agrees_with_the_reference(entry, workload, true):
    contestant = enter(entry, workload)
    agreement = compare(contestant.loss_and_gradients(ALL), true)
    assert agreement.exact or not contestant.exact
    assert agreement.loss < 1e-2


@pytest.mark.parametrize("entry", NAMED)
def test_training_moves_the_student_and_is_timed(entry, workload):
    contestant = enter(entry, workload)
    once = contestant.prepare()
    before = {name: p.detach().clone() for name, p in contestant.student.named_parameters()}
    assert contestant.train(2) > 0
    moved = [not torch.equal(p, before[name]) for name, p in contestant.student.named_parameters()]
    assert all(moved)
    assert (once > 0) == (not contestant.live_teacher)


class TwiceTheLoss(Ours):
    """Minimises something else."""

    def loss_and_gradients(self, rows):
        found = super().loss_and_gradients(rows)
        return LossAndGradients(2 * found.loss, found.gradients)


def test_a_contestant_with_another_loss_is_not_timed(workload, monkeypatch):
    monkeypatch.setattr(measuring, "FIELD", [Entry("ours", "ours", TwiceTheLoss)])
    with pytest.raises(DisagreementError, match=r"ours, small, cola: Agreement\(loss=0\.99"):
        measure(workload, rounds=1)


def test_rounds_begin_with_another_contestant_each_time(workload, monkeypatch):
    def absent(workload):
        raise NotMeasuredError("not installed")

    field = [replace(FIELD[0], name=name) for name in ("first", "second")]
    monkeypatch.setattr(measuring, "FIELD", [*field, Entry("third", "third", absent)])
    monkeypatch.setattr(measuring, "TIMED_SECONDS", 0.0)
    monkeypatch.setattr(measuring, "matmul_rate", lambda: 1e9)
    rows = measure(workload, rounds=2)
    turns = [(row["contestant"], row.get("round")) for row in rows]
    assert turns == [
        ("third", None),
        ("first", 1),
        ("second", 1),
        ("second", 2),
        ("first", 2),
    ]
    assert rows[0]["note"] == "not installed"
    assert all(row["step_ms"] > 0 and row["once_ms"] > 0 for row in rows[1:])
