"""Settings and made-up runs of a small grid of objectives and starts, and of maps of layers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from zlib import crc32

import numpy as np

from internal_kd.reporting.runs import RunFolder
from internal_kd.specs.grid_reports import GridCell, GridSettings, LevelRow, Losses
from internal_kd.study.glue import GLUE
from tests.reporting.fake_runs import frame_of, noisy_logits, write_fake_run

LABELS = np.random.default_rng(0).integers(0, 2, 400)
TASKS = ("rte", "qnli")
LOSSES: Mapping[str, Losses] = {"vanilla": "none", "hidden": "hidden", "attention": "attention"}
STARTS = ("lower", "upper")
MAPPINGS = ("none", "uniform", "reversed")


def objective_cells(tasks: tuple[str, ...] = TASKS, setting: str = "") -> tuple[GridCell, ...]:
    """Three objectives from two starts."""
    return tuple(
        GridCell(
            experiment=f"{objective}-{start}{setting}",
            objective=objective,
            start=start,
            setting=setting,
            losses=losses,
            init="lower" if start == "lower" else "upper",
            init_from="teacher",
            layer_map="uniform",
            tasks=tasks,
        )
        for objective, losses in LOSSES.items()
        for start in STARTS
    )


def mapping_cells(tasks: tuple[str, ...] = TASKS) -> tuple[GridCell, ...]:
    """Two maps of layers, and none, for copied and for random layers."""
    return tuple(
        GridCell(
            experiment=f"{mapping}-{start}",
            start=start,
            mapping=mapping,
            losses="none" if mapping == "none" else "hidden",
            init="random" if start == "random" else "upper",
            init_from="base" if start == "random" else "teacher",
            layer_map="reversed" if mapping == "reversed" else "uniform",
            tasks=tasks,
        )
        for mapping in MAPPINGS
        for start in ("copied", "random")
    )


def levels(cells: Sequence[GridCell], factor: str) -> tuple[LevelRow, ...]:
    """The levels of a factor that occur."""
    names = dict.fromkeys(getattr(cell, factor) for cell in cells)
    return tuple(LevelRow(name, f"the {name}") for name in names if name)


def grid_settings(cells: tuple[GridCell, ...], tasks: tuple[str, ...] = TASKS) -> GridSettings:
    """Settings of a table of these cells."""
    return GridSettings(
        study="tiny",
        task_specs=GLUE,
        note="A small study.",
        tasks=tasks,
        cells=cells,
        objectives=levels(cells, "objective"),
        starts=levels(cells, "start"),
        mappings=levels(cells, "mapping"),
        settings=levels(cells, "setting"),
        confidence=0.95,
        resamples=200,
        seed=0,
    )


def runs_of(
    folder: Path, accuracy: Mapping[str, float], seeds: Sequence[int], tasks: Sequence[str] = TASKS
) -> list[RunFolder]:
    """Runs that are right with these probabilities, by experiment."""
    return [
        write_fake_run(
            folder,
            task,
            name,
            seed=seed,
            validation=frame_of(
                LABELS, noisy_logits(LABELS, right, crc32(f"{task} {name} {seed}".encode()))
            ),
        )
        for task in tasks
        for name, right in accuracy.items()
        for seed in seeds
    ]
