"""Contrasts of grids' experiments: statistics that compare objectives, starts or maps of layers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import permutations

from internal_kd.evaluation.comparison import Statistic
from internal_kd.evaluation.resampling import Floats
from internal_kd.reporting.claims.evidence import NoData
from internal_kd.reporting.grids import GridScores, contrast, on
from internal_kd.reporting.runs import RunFolder
from internal_kd.specs.grid_reports import GridCell, GridClaimsSettings, Losses

HIGHER = ("upper", "last")  # starts without the first layer
Cells = Sequence[GridCell]
Contrasts = Mapping[str, Statistic]


class GridEvidence(GridScores):
    """What the claims are checked on: scores of the experiments of grids.

    Args:
        runs: of all experiments.
        settings: of the claims.
    """

    def __init__(self, runs: Iterable[RunFolder], settings: GridClaimsSettings) -> None:
        super().__init__(runs, settings)
        self.margin = settings.margin

    def objectives(self, task: str) -> dict[str, list[GridCell]]:
        """The experiments of each objective on a task."""
        return by_level(on(task, self.settings.cells), lambda cell: cell.objective)

    def maps(self, task: str) -> list[GridCell]:
        """The experiments that differ in the map of layers, and those without one."""
        return [cell for cell in on(task, self.settings.cells) if cell.mapping]


def by_level(cells: Cells, key: Callable[[GridCell], str]) -> dict[str, list[GridCell]]:
    """The cells by what `key` gives, without those for which it is empty."""
    groups: dict[str, list[GridCell]] = {}
    for cell in cells:
        if key(cell):
            groups.setdefault(key(cell), []).append(cell)
    return groups


def losses_of(cells: Cells) -> Losses:
    """What the losses between layers of an objective compare."""
    return cells[0].losses


def _matched(first: Cells, second: Cells, *varied: str) -> tuple[list[GridCell], list[GridCell]]:
    """The cells of both that have a counterpart with all levels alike but for varied factors."""
    keys = [key for key in ("objective", "start", "mapping", "setting") if key not in varied]

    def context(cell: GridCell) -> tuple[str, ...]:
        return (cell.others, *(getattr(cell, key) for key in keys))

    shared = {context(cell) for cell in first} & {context(cell) for cell in second}
    sides = tuple([cell for cell in side if context(cell) in shared] for side in (first, second))
    return sides[0], sides[1]


def difference(first: Cells, second: Cells, *varied: str) -> Statistic:
    """Mean score of the first cells minus that of the second ones, over counterparts alone.

    Raises:
        NoData: they have none.
    """
    pair = _matched(first, second, *varied)
    if not pair[0]:
        raise NoData("no experiments that differ in nothing else")
    return contrast(*pair)


def minus(first: Statistic, second: Statistic) -> Statistic:
    """One statistic minus another."""

    def statistic(values: Mapping[str, Floats]) -> Floats:
        return first(values) - second(values)

    return statistic


def attention_against_others(evidence: GridEvidence, task: str) -> Contrasts:
    """Attention transfer, the mean of its objectives, minus each other objective."""
    groups = evidence.objectives(task)
    attention = [
        cell for cells in groups.values() if losses_of(cells) == "attention" for cell in cells
    ]
    others = {name: cells for name, cells in groups.items() if losses_of(cells) != "attention"}
    if not attention or not others:
        raise NoData("no attention transfer, or nothing to compare it with")
    return {
        f"attention transfer − {name}": difference(attention, cells, "objective")
        for name, cells in others.items()
    }


def lower_against_higher(losses: Losses) -> Callable[[GridEvidence, str], Contrasts]:
    """For objectives of some losses: the lowest layers as a start minus each of the higher ones."""

    def contrasts(evidence: GridEvidence, task: str) -> Contrasts:
        found = {
            f"{name}: lower − {higher}": _starts(cells, "lower", higher)
            for name, cells in evidence.objectives(task).items()
            if losses_of(cells) == losses
            for higher in HIGHER
            if any(cell.init == higher for cell in cells)
            and any(cell.init == "lower" for cell in cells)
        }
        if not found:
            raise NoData("no students of these objectives from lower and from higher layers")
        return found

    return contrasts


def _starts(cells: Cells, first: str, second: str) -> Statistic:
    """One start minus another, both of the same model."""
    lower = [cell for cell in cells if cell.init == first]
    models = {cell.init_from for cell in lower}
    higher = [cell for cell in cells if cell.init == second and cell.init_from in models]
    return difference(lower, higher, "start")


def matching_against_none(evidence: GridEvidence, task: str) -> Contrasts:
    """From copied weights: the forward map minus no losses between layers."""
    copied = _copied(evidence, task)
    none = [cell for cell in copied if cell.losses == "none"]
    return {"forward − none": difference(_map(copied, "uniform"), none, "mapping", "objective")}


def reversed_against_forward(evidence: GridEvidence, task: str) -> Contrasts:
    """From copied weights: the reversed map minus the forward one."""
    copied = _copied(evidence, task)
    other, forward = (_map(copied, name) for name in ("reversed", "uniform"))
    return {"reversed − forward": difference(other, forward, "mapping")}


def copying_against_maps(evidence: GridEvidence, task: str) -> Contrasts:
    """Copied minus random weights, the mean over maps, minus the difference between two maps: for
    any two of them, from copied and from random weights.
    """
    matched = [cell for cell in evidence.maps(task) if cell.losses != "none"]
    sides = {
        "copied": [cell for cell in matched if cell.init != "random"],
        "random": [cell for cell in matched if cell.init == "random"],
    }
    if not all(sides.values()):
        raise NoData("no students from copied and from random weights")
    copying = contrast(*sides.values())
    found = {
        f"copying − ({first} − {second}, {side})": minus(
            copying, difference(maps[first], maps[second], "mapping")
        )
        for side, cells in sides.items()
        for maps in [by_level(cells, lambda cell: cell.mapping)]
        for first, second in permutations(maps, 2)
    }
    if not found:
        raise NoData("one map of layers only")
    return found


def _copied(evidence: GridEvidence, task: str) -> list[GridCell]:
    return [cell for cell in evidence.maps(task) if cell.init != "random"]


def _map(cells: Cells, name: str) -> list[GridCell]:
    return [cell for cell in cells if cell.losses != "none" and cell.layer_map == name]
