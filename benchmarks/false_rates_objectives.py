"""How often a claim on grids is judged by chance: `python -m benchmarks.false_rates_objectives`.

As `benchmarks.false_rates_claims`, of the claims about objectives, starts and maps of layers. The
claim that attention transfer varies least compares ranges, which lie above 0 by chance: it is
checked on starts that are all alike, and on two objectives that vary equally much while the others
vary far more.
"""

import argparse
import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.false_rates_claims import (
    ALL_EQUAL,
    AT_BOUND,
    COLUMNS,
    FAR,
    MARGIN,
    ONE_EQUAL,
    Case,
    Make,
    rates,
    replicates_of,
    summary,
)
from benchmarks.null_studies import ACCURACY, Model, Population
from internal_kd.reporting.claims.objectives import GridEvidence
from internal_kd.specs.grid_reports import GridCell, GridClaimsSettings, Losses
from internal_kd.study.glue import GLUE

SEEDS = (2, 3, 5)
RATIOS = (0, 3, 30)
TASK, QNLI = "rte", "qnli"
OBJECTIVES: Mapping[str, Losses] = {
    "vanilla": "none",
    "hidden": "hidden",
    "relations": "other",
    "attention": "attention",
}
STARTS = ("lower", "upper", "last")
SIDES = ("copied", "random")
MAPS = ("none", "uniform", "reversed")


def _cells(tasks: tuple[str, ...]) -> Iterator[GridCell]:
    for objective, losses in OBJECTIVES.items():
        for start in STARTS:
            yield GridCell(
                experiment=f"{objective}-{start}",
                objective=objective,
                start=start,
                losses=losses,
                init=start,
                init_from="teacher",
                layer_map="uniform",
                tasks=tasks,
            )
    for layer_map in MAPS:
        for side in SIDES:
            yield GridCell(
                experiment=f"{layer_map}-{side}",
                start=side,
                mapping=layer_map,
                losses="none" if layer_map == "none" else "hidden",
                init="random" if side == "random" else "upper",
                init_from="base",
                layer_map="uniform" if layer_map == "none" else layer_map,
                tasks=tasks,
            )


def settings_on(*tasks: str) -> GridClaimsSettings:
    """Settings of a study of all these experiments."""
    return GridClaimsSettings(
        study="",
        note="",
        task_specs=GLUE,
        tasks=tasks,
        cells=tuple(_cells(tasks)),
        objectives=(),
        starts=(),
        mappings=(),
        settings=(),
        confidence=0.95,
        resamples=200,
        seed=0,
        margin=MARGIN,
    )


def grid(*tasks: str, **accuracies: float) -> Make:
    """Studies of all experiments, which are equally good but for those given.

    Args:
        tasks: of the study.
        accuracies: by experiment, with an underscore for the hyphen; `qnli_` before it stands for
            QNLI alone.
    """
    settings = settings_on(*tasks)

    def accuracy(task: str, name: str) -> float:
        key = name.replace("-", "_")
        return accuracies.get(f"{task}_{key}", accuracies.get(key, ACCURACY))

    def make(seeds: int, ratio: float, rng: np.random.Generator) -> GridEvidence:
        runs = [
            run
            for task in tasks
            for run in Population(seeds, ratio, rng).runs(
                task,
                [
                    Model(cell.experiment, accuracy(task, cell.experiment))
                    for cell in settings.cells
                ],
            )
        ]
        return GridEvidence(runs, settings)

    return make


ON_ONE_TASK = (
    "attention-transfer-is-best",
    "vanilla-starts-low",
    "hidden-starts-low",
    "attention-varies-least",
    "copying-outweighs-map",
    "matching-beats-none",
)
SPREAD = {
    "attention_upper": ACCURACY - 0.1,
    "attention_last": ACCURACY - 0.1,
    "vanilla_lower": ACCURACY - 0.1,
    "vanilla_last": ACCURACY - 0.05,
    "hidden_last": 0.55,
    "relations_lower": 0.55,
}
LOW = 0.55
CASES = (
    Case(ALL_EQUAL, ON_ONE_TASK, grid(TASK)),
    Case(
        ONE_EQUAL,
        ("attention-transfer-is-best",),
        grid(
            TASK, **{f"{name}_{start}": LOW for name in ("vanilla", "hidden") for start in STARTS}
        ),
    ),
    Case(
        ONE_EQUAL,
        ("vanilla-starts-low", "hidden-starts-low"),
        grid(TASK, vanilla_last=LOW, hidden_upper=LOW),
    ),
    Case(ONE_EQUAL, ("attention-varies-least",), grid(TASK, **SPREAD)),
    Case(
        ONE_EQUAL,
        ("copying-outweighs-map",),
        grid(
            TASK,
            uniform_copied=FAR,
            reversed_copied=FAR - 0.2,
            uniform_random=FAR - 0.3,
            reversed_random=FAR - 0.3,
        ),
    ),
    Case(
        AT_BOUND,
        ("reversed-is-near-forward",),
        grid(TASK, uniform_copied=ACCURACY + MARGIN),
    ),
    Case(AT_BOUND, ("start-matters-most-on-qnli",), grid(TASK, QNLI)),
)


def rows(most: int) -> Iterator[list[Any]]:
    """A row per claim, null, number of seeds and ratio."""
    for case in CASES:
        for seeds in SEEDS:
            for ratio in RATIOS:
                count = replicates_of(seeds, most)
                for claim, found in rates(case, seeds, ratio, count).items():
                    yield [claim, case.null, seeds, case.varied, ratio, count, *found]


def main() -> None:
    """Simulate, write a table of rates, and print the highest ones."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.false_rates_objectives", description=__doc__
    )
    parser.add_argument(
        "--replicates", type=int, default=1000, help="studies, where there are verdicts"
    )
    parser.add_argument("--out", type=Path, default=Path("docs/data/false_rates_objectives.csv"))
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with args.out.open("w", newline="", buffering=1) as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(rows(args.replicates))
    print(summary(pd.read_csv(args.out), SEEDS))


if __name__ == "__main__":
    main()
