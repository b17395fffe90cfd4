"""Interleaved measurements of all contestants on one workload."""

import gc
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.agreement import Agreement, compare
from benchmarks.contestants.contestant import Contestant, NotMeasuredError
from benchmarks.contestants.field import FIELD
from benchmarks.flops import training_step
from benchmarks.machine import matmul_rate
from benchmarks.reference import reference
from benchmarks.workload import Workload

CHECKED_EXAMPLES = 8
TIMED_SECONDS = 1.0  # a contestant that is faster passes over the workload again

Row = dict[str, Any]


class DisagreementError(Exception):
    """A contestant does not minimise the loss of the reference."""


def measure(workload: Workload, rounds: int) -> list[Row]:
    """One row per contestant and round, and one for each contestant that cannot run here.

    In each round all contestants take their turn, each round beginning with another one.

    Raises:
        DisagreementError: losses or gradients differ, so that times would mean nothing.
    """
    contestants, rows = _enter(workload)
    agreements = _check(workload, contestants)
    passes = dict.fromkeys(contestants, 1)
    for number in range(rounds):
        rate = matmul_rate()
        for name in _turned(list(contestants), number):
            row = _turn(contestants[name], passes[name])
            passes[name] = max(1, round(TIMED_SECONDS / row.pop("seconds")))
            agreement = agreements[name]
            errors = {"loss_error": agreement.loss, "gradient_error": agreement.gradient}
            where = {**_place(workload), "contestant": name, "round": number + 1}
            rows.append({**where, **row, **errors, "matmul_gflops": rate / 1e9})
            print(f"{workload.task} {name}: {row['step_ms']:.2f} ms", file=sys.stderr)
    return rows


def _enter(workload: Workload) -> tuple[dict[str, Contestant], list[Row]]:
    contestants, absent = {}, []
    for entry in FIELD:
        try:
            contestants[entry.name] = entry.make(workload)
        except NotMeasuredError as reason:
            absent.append({**_place(workload), "contestant": entry.name, "note": str(reason)})
    return contestants, absent


def _place(workload: Workload) -> Row:
    lengths = workload.split.lengths
    return {
        "shape": workload.shape.name,
        "task": workload.task,
        "examples": len(lengths),
        "mean_length": lengths.mean(),
    }


def _check(workload: Workload, contestants: dict[str, Contestant]) -> dict[str, Agreement]:
    rows = workload.spread(CHECKED_EXAMPLES)
    true = reference(workload, rows)
    found = {name: compare(c.loss_and_gradients(rows), true) for name, c in contestants.items()}
    for name, agreement in found.items():
        if contestants[name].exact and not agreement.exact:
            raise DisagreementError(f"{name}, {workload.shape.name}, {workload.task}: {agreement}")
    return found


def _turn(contestant: Contestant, passes: int) -> Row:
    """CPU milliseconds per example of a step, and of what is done once."""
    gc.collect()
    workload = contestant.workload
    once, seconds = contestant.prepare(), contestant.train(passes)
    per_example = 1000 / len(workload.split)
    flops = training_step(workload.shape, workload.split.lengths, teacher=contestant.live_teacher)
    return {
        "seconds": seconds,
        "step_ms": seconds * per_example,
        "once_ms": once * per_example,
        "needed_gflop": flops / 1e9,
    }


def _turned(names: list[str], number: int) -> Iterator[str]:
    start = number % len(names)
    yield from names[start:] + names[:start]
