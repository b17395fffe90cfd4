"""Grids of experiments: one for each combination of levels, such as objectives times starts."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Annotated

import msgspec
from msgspec import Meta

from internal_kd.specs.experiments import Experiment, acting_fields, make_experiment
from internal_kd.specs.values import Name, NamesOrAll, Section

Fields = Mapping[str, object]
KEYS_OF = "keys of"
UNVARIED = {"kind", "paper_row", "reading_of"}
Level = Annotated[Fields, Meta(extra={KEYS_OF: Experiment, "without": UNVARIED})]
Common = Annotated[Fields, Meta(extra={KEYS_OF: Experiment, "without": {*UNVARIED, "label"}})]
Levels = Annotated[Mapping[Name, Level | None], Meta(min_length=1)]
JOINT = "-"
# The factors that a grid must have for a report or a kind of figure.
FACTORS_OF: Mapping[str, tuple[str, ...]] = {
    "objectives": ("objective",),
    "starts": ("objective", "start"),
    "mappings": ("mapping",),
    "objective_claims": ("start",),
    "objective_scores": ("objective", "start"),
    "start_slopes": ("objective", "start"),
}


class Grid(Section, frozen=True):
    """Students that differ in one or several factors, in every combination of their levels.

    Attributes:
        vary: the levels of each factor by name, and the keys of an experiment that each sets; null
            removes a level. Reports know the factors `objective`, `start`, `mapping` and `setting`.
        common: keys of an experiment that all have; a level replaces them.
        tasks: names of the tasks; null for all of the study's.
    """

    vary: Annotated[Mapping[Name, Levels], Meta(min_length=1)]
    common: Common = msgspec.field(default_factory=dict)
    tasks: NamesOrAll = None

    @property
    def factors(self) -> dict[str, dict[str, Fields]]:
        """The levels of each factor, without those that were removed."""
        return {
            factor: {name: fields for name, fields in levels.items() if fields is not None}
            for factor, levels in self.vary.items()
        }


@dataclass(frozen=True)
class Cell:
    """A combination of levels, and the experiment that stands for it.

    Attributes:
        levels: its level of each factor.
        experiment: name of the experiment. Cells in which the same students would be trained share
            the one of the first of them.
    """

    levels: Mapping[str, str]
    experiment: str

    @property
    def name(self) -> str:
        """Its levels, joined."""
        return JOINT.join(self.levels.values())


@dataclass(frozen=True)
class Expansion:
    """What grids stand for.

    Attributes:
        experiments: by name.
        cells: by name of the grid, in the order of the levels.
    """

    experiments: Mapping[str, Experiment] = field(default_factory=dict)
    cells: Mapping[str, tuple[Cell, ...]] = field(default_factory=dict)


def having(grids: Mapping[str, Grid | None] | None, factors: Iterable[str]) -> dict[str, Grid]:
    """The grids that have all of these factors."""
    known = {name: grid for name, grid in (grids or {}).items() if grid is not None}
    return {name: grid for name, grid in known.items() if set(factors) <= set(grid.factors)}


def expand(grids: Mapping[str, Grid | None] | None) -> Expansion:
    """The experiments of grids; null stands for no grid.

    An experiment is named after its levels, joined by hyphens, and labelled with their labels (a
    level without one with its name).
    """
    first: dict[bytes, Experiment] = {}
    cells = {}
    for name, grid in (grids or {}).items():
        if grid is not None:
            made = [(cell, _experiment(grid, cell)) for cell in _combinations(grid)]
            cells[name] = tuple(
                replace(cell, experiment=first.setdefault(_training(own), own).name)
                for cell, own in made
            )
    return Expansion({own.name: own for own in first.values()}, cells)


def key_of(grid: Grid, levels: Mapping[str, str], key: str) -> tuple[str, ...]:
    """Where a key of a cell's experiment is set below the grid; () where it is not."""
    for factor, level in levels.items():
        if key in grid.factors[factor][level]:
            return ("vary", factor, level, key)
    return ("common", key) if key in grid.common else ()


def _combinations(grid: Grid) -> Iterator[Cell]:
    factors = grid.factors
    for levels in product(*factors.values()):
        yield Cell(dict(zip(factors, levels, strict=True)), "")


def _experiment(grid: Grid, cell: Cell) -> Experiment:
    chosen = [grid.factors[factor][level] for factor, level in cell.levels.items()]
    return make_experiment(
        cell.name, {**_merged([grid.common, *chosen]), "label": _label(grid, cell)}
    )


def _merged(parts: Iterable[Fields]) -> dict[str, object]:
    return {key: value for part in parts for key, value in part.items()}


def _label(grid: Grid, cell: Cell) -> str:
    named = (label_of(grid, factor, level) for factor, level in cell.levels.items())
    return ", ".join(named)


def label_of(grid: Grid, factor: str, level: str) -> str:
    """What tables call a level."""
    return str(grid.factors[factor][level].get("label") or level)


def _training(experiment: Experiment) -> bytes:
    """What acts in an experiment's training: no map of layers without losses between them."""
    layer_map = experiment.layer_map if experiment.internal else "uniform"
    return msgspec.json.encode(
        acting_fields(replace(experiment, layer_map=layer_map)), order="sorted"
    )
