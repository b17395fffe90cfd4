"""How often a claim is judged by chance: `python -m benchmarks.false_rates_claims`.

Each claim is checked by the project's own code on studies in which its effect is at its bound, so
that "holds" and "does not hold" are both wrong. A claim on several effects is checked with all of
them at the bound, where one lies below most easily, and with one at the bound and the others far
above, where all lie above most easily. Of the primary claim any wrong verdict on four tasks counts.
"""

import argparse
import csv
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.null_studies import (
    ACCURACY,
    LAYERS,
    MemoryRun,
    Model,
    Population,
    converging,
    divergences,
)
from internal_kd.evaluation.inference import SEEDS_FOR_VERDICTS
from internal_kd.reporting.claims.attention import MUCH
from internal_kd.reporting.claims.claim import DOES_NOT_HOLD, HOLDS, NO_DATA
from internal_kd.reporting.claims.evidence import Evidence
from internal_kd.reporting.claims.objectives import CLAIMS as ON_GRIDS
from internal_kd.reporting.claims.primary import MEAN
from internal_kd.reporting.claims.write import CLAIMS
from internal_kd.reporting.runs import RunFolder
from internal_kd.specs.reports import PaperRow
from internal_kd.specs.tables import ClaimsSettings, LayerSweep, SizeSweep
from internal_kd.study.glue import GLUE

SEEDS = (2, 3, 4, 5, 10)
RATIOS = (0, 1, 3, 10, 30)
NOISES = (0.005, 0.01, 0.02)
MARGIN = 0.1  # wide enough that what is near can be seen to be near
RESAMPLES = 200
FAR = 0.95
TASK = "rte"
PRIMARY = "internal-beats-standard"
PRIMARY_TASKS = ("rte", "qnli", "mrpc", "cola")
TEACHER_HEAD = ("exp2.0t", "exp3.3", "exp3.4")
INTERNAL = tuple(f"exp3.{number}" for number in range(7))
COLUMNS = ["claim", "null", "seeds", "varied", "value", "replicates", "holds", "does_not_hold"]
BY_NAME = {
    claim.name: claim for claim in (*CLAIMS, *(one for part in ON_GRIDS.values() for one in part))
}

Make = Callable[[int, float, np.random.Generator], Evidence]


@dataclass(frozen=True)
class Case:
    """Studies at the bound of some claims.

    Attributes:
        null: what is true in them.
        claims: names of the claims.
        make: evidence of a study, from seeds, value of what is varied, and random numbers.
        varied: ratio or noise.
        values: of it.
    """

    null: str
    claims: tuple[str, ...]
    make: Make
    varied: str = "ratio"
    values: tuple[float, ...] = RATIOS


def _row(name: str) -> PaperRow:
    """An experiment with its head and baseline, as a study's settings have them."""
    head = "teacher" if name in TEACHER_HEAD else "random"
    baseline = "exp2.0t" if name in TEACHER_HEAD else "exp2.0"
    paper_row = None if name == "exp2.0t" else name
    return PaperRow(name, "", head, baseline, paper_row)


SETTINGS = ClaimsSettings(
    study="",
    task_specs=GLUE,
    note="",
    tasks=(TASK,),
    rows=tuple(_row(name) for name in ("exp1.0", "exp1.1", "exp2.0", "exp2.0t", *INTERNAL)),
    standard="exp2.0",
    internal="exp3.2",
    sweep_layers=LayerSweep((TASK,), (1, 2, LAYERS)),
    sweep_sizes=SizeSweep((TASK,), (25, 50, 100)),
    student_layers=LAYERS,
    confidence=0.95,
    resamples=RESAMPLES,
    seed=0,
    margin=MARGIN,
)


def answers(*models: Model) -> Make:
    """Studies of these models; teachers have the seeds of their students."""

    def make(seeds: int, ratio: float, rng: np.random.Generator) -> Evidence:
        runs = Population(seeds, ratio, rng).runs(TASK, models)
        return Evidence(runs, None, SETTINGS)

    return make


def tested(*models: Model) -> Make:
    """The same with predictions on a test set of its own."""

    def make(seeds: int, ratio: float, rng: np.random.Generator) -> Evidence:
        development, test = (Population(seeds, ratio, rng).runs(TASK, models) for _ in range(2))
        runs = [_with_test(*pair) for pair in zip(development, test, strict=True)]
        return Evidence(runs, None, SETTINGS)

    return make


def _with_test(run: MemoryRun, other: MemoryRun) -> MemoryRun:
    return replace(run, frames={**run.frames, "test": other.frames["validation"]})


def on_all_tasks(seeds: int, ratio: float, rng: np.random.Generator) -> Evidence:
    """Studies of the primary claim."""
    runs: list[RunFolder] = []
    for task in PRIMARY_TASKS:
        runs += Population(seeds, ratio, rng).runs(task, (Model("exp2.0"), Model("exp3.2")))
    return Evidence(runs, None, replace(SETTINGS, tasks=PRIMARY_TASKS))


def with_distances(seeds: int, ratio: float, rng: np.random.Generator) -> Evidence:
    """Studies of the distance from the teacher."""
    return Evidence([], divergences(seeds, ratio, MUCH, rng), SETTINGS)


def over_epochs(lower: float, upper: float, output: float) -> Make:
    """Studies of convergence, with the expected scores of each phase."""

    def make(seeds: int, noise: float, rng: np.random.Generator) -> Evidence:
        runs = converging(seeds, noise, (lower, upper, output), rng)
        return Evidence(runs, None, replace(SETTINGS, tasks=("cola",)))

    return make


def teacher(accuracy: float) -> Model:
    """The teacher, of twice the layers."""
    return Model("exp1.0", accuracy, 2 * LAYERS)


def swept(**changes: float) -> list[Model]:
    """Both students at every depth and share of the data, all alike but for the changes.

    Args:
        changes: accuracy by role, what is varied and its value, such as `internal_layers_1`.
    """
    sizes = [("layers", 1), ("layers", 2), ("percent", 25), ("percent", 50), ("percent", 100)]
    return [
        Model(name, changes.get(f"{role}_{key}_{size}", ACCURACY), **{key: size})
        for role, name in (("standard", "exp2.0"), ("internal", "exp3.2"))
        for key, size in sizes
    ]


EVERY = ("every-internal-beats-standard", "all-significant", "every-internal-beats-none")
SINGLE = ("standard-beats-none", "internal-beats-none", "teacher-beats-students")
OF_SWEEPS = (
    "scores-fall-with-layers",
    "higher-with-fewer-layers",
    "slower-decay",
    "gap-grows-with-less-data",
    "higher-at-every-size",
)
OF_ERRORS = ("agrees-with-teacher", "right-with-teacher", "wrong-with-teacher")
OVER_CONFIDENT = "standard-is-over-confident"
ALL_EQUAL = "all effects at the bound"
ONE_EQUAL = "one effect at the bound, others far above"
AT_BOUND = "at the bound"
PID = ("pid-peaks-before-output", "pid-starts-at-chance", "pid-rises-with-upper-layers")

CASES = (
    Case(ALL_EQUAL, (PRIMARY,), on_all_tasks),
    Case(
        ALL_EQUAL,
        (*EVERY, *SINGLE),
        answers(teacher(ACCURACY), *map(Model, ("exp1.1", "exp2.0", "exp2.0t", *INTERNAL))),
    ),
    Case(
        ONE_EQUAL,
        EVERY,
        answers(
            *map(Model, ("exp1.1", "exp2.0", "exp2.0t", INTERNAL[0])),
            *(Model(name, FAR) for name in INTERNAL[1:]),
        ),
    ),
    Case(
        ONE_EQUAL,
        ("teacher-beats-students",),
        answers(teacher(FAR), Model("exp3.2", FAR), *map(Model, ("exp1.1", "exp2.0"))),
    ),
    Case(
        AT_BOUND,
        ("internal-beats-standard-on-test",),
        tested(*map(Model, ("exp2.0", "exp2.0t", *INTERNAL[2:5]))),
    ),
    Case(
        ALL_EQUAL,
        (*OF_SWEEPS, *OF_ERRORS, OVER_CONFIDENT),
        answers(teacher(ACCURACY), *swept()),
    ),
    Case(
        ONE_EQUAL,
        ("scores-fall-with-layers", "higher-at-every-size"),
        answers(*swept(internal_layers_1=0.5, internal_percent_25=FAR, internal_percent_50=FAR)),
    ),
    Case(
        ONE_EQUAL,
        (OVER_CONFIDENT,),
        answers(Model("exp2.0", confidence=FAR), Model("exp3.2", confidence=FAR)),
    ),
    Case(
        AT_BOUND,
        ("near-teacher-at-half", "small-gap-with-all-data", "no-boost-at-one-layer"),
        answers(
            teacher(ACCURACY + MARGIN),
            Model("exp2.0", ACCURACY - MARGIN),
            Model("exp3.2", ACCURACY),
            Model("exp2.0", ACCURACY - MARGIN, layers=1),
            Model("exp3.2", ACCURACY, layers=1),
        ),
    ),
    Case(AT_BOUND, PID, over_epochs(MARGIN, 2 * MARGIN, 2 * MARGIN), "noise", NOISES),
    Case(AT_BOUND, ("closer-attention",), with_distances),
)


def verdicts(claim: str, evidence: Evidence) -> dict[str, str]:
    """Verdicts of a claim by task."""
    return {task: found.judgement.verdict for task, found in BY_NAME[claim].findings(evidence)}


def rates(case: Case, seeds: int, value: float, replicates: int) -> dict[str, tuple[float, float]]:
    """Shares of studies in which a claim holds and does not hold, by claim.

    Raises:
        ValueError: a study has no data for a claim.
    """
    wrong: dict[str, list[tuple[bool, bool]]] = {}
    for number in range(replicates):
        rng = np.random.default_rng([seeds, int(1000 * value), number])
        evidence = case.make(seeds, value, rng)
        for claim in case.claims:
            for name, found in _by_row(claim, verdicts(claim, evidence)).items():
                if NO_DATA in found:
                    raise ValueError(f"no data for {claim}")
                wrong.setdefault(name, []).append((HOLDS in found, DOES_NOT_HOLD in found))
    return {name: tuple(np.mean(found, axis=0).tolist()) for name, found in wrong.items()}


def _by_row(claim: str, by_task: dict[str, str]) -> dict[str, set[str]]:
    """Verdicts on all tasks together, and that on their mean."""
    rows = {claim: {verdict for task, verdict in by_task.items() if task != MEAN}}
    return rows | ({f"{claim}, mean": {by_task[MEAN]}} if MEAN in by_task else {})


def replicates_of(seeds: int, most: int) -> int:
    """How many studies are drawn: few where there are only hints."""
    return most if seeds >= SEEDS_FOR_VERDICTS else max(1, most // 100)


def _cell(place: tuple[int, int, float], most: int) -> list[list[Any]]:
    """The rows of a case, a number of seeds and a value of what is varied."""
    number, seeds, value = place
    case, count = CASES[number], replicates_of(seeds, most)
    return [
        [claim, case.null, seeds, case.varied, value, count, *found]
        for claim, found in rates(case, seeds, value, count).items()
    ]


def rows(most: int, workers: int) -> Iterator[list[Any]]:
    """A row per claim, null, number of seeds and value of what is varied."""
    places = [
        (number, seeds, value)
        for (number, case), seeds in product(enumerate(CASES), SEEDS)
        for value in case.values
    ]
    with ProcessPoolExecutor(workers) as pool:
        for cell in pool.map(partial(_cell, most=most), places):
            yield from cell


def summary(frame: pd.DataFrame, seeds: tuple[int, ...] = SEEDS) -> str:
    """The highest rates of each claim as Markdown: holds / does not hold, for each number of seeds.

    Args:
        frame: the rates of all claims.
        seeds: numbers of seeds that occur.
    """
    head = ["claim", "in truth", *(f"{count} seeds" for count in seeds)]
    lines = [head, ["---"] * len(head)]
    for (claim, null), part in frame.groupby(["claim", "null"], sort=False):
        worst = part.groupby("seeds")[["holds", "does_not_hold"]].max()
        cells = (f"{row.holds:.3f} / {row.does_not_hold:.3f}" for row in worst.itertuples())
        lines.append([str(claim), str(null), *cells])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    """Simulate, write a table of rates, and print the highest ones."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.false_rates_claims", description=__doc__
    )
    parser.add_argument(
        "--replicates", type=int, default=2000, help="studies, where there are verdicts"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--out", type=Path, default=Path("docs/data/false_rates_claims.csv"))
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with args.out.open("w", newline="", buffering=1) as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(rows(args.replicates, args.workers))
    print(summary(pd.read_csv(args.out)))


if __name__ == "__main__":
    main()
