"""A config under inspection, and the lists of its checks.

Each check names the keys it reads. It runs only where the schema found no fault with them, so it
can rely on their values; a faulty experiment is skipped without stopping the checks of the others.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from typing import Annotated, TypeVar, cast, get_args, get_origin

import msgspec
from msgspec.structs import replace

from internal_kd.specs.config import StudyConfig, training_on
from internal_kd.specs.experiments import Experiment, make_experiment
from internal_kd.specs.grids import Cell, Expansion, Grid, expand, key_of
from internal_kd.specs.schema import fields_of
from internal_kd.specs.tasks import Task
from internal_kd.specs.training import changed
from internal_kd.study.glue import GLUE
from internal_kd.study.problems import Path, Problem, nearest

Found = Iterator[Problem]
Values = Mapping[str, object]
Section = TypeVar("Section")


@dataclass(frozen=True)
class Draft:
    """A config under inspection.

    Attributes:
        config: the config as far as it is right: a faulty value is None, a faulty experiment or
            grid is left out. Its experiments are those of the grids, too.
        names: names of all its experiments, those of faulty grids excepted.
        expansion: what the grids stand for.
    """

    config: StudyConfig
    names: tuple[str, ...]
    expansion: Expansion

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """The experiments whose form is right."""
        return tuple(self.config.experiments.values())

    @property
    def students(self) -> tuple[Experiment, ...]:
        """Those of them that train students."""
        return tuple(experiment for experiment in self.experiments if not experiment.is_teacher)

    @property
    def grids(self) -> dict[str, Grid]:
        """The grids by name."""
        grids = self.config.grids or {}
        return {name: grid for name, grid in grids.items() if grid is not None}

    def located(self, problems: Iterable[Problem]) -> list[Problem]:
        """The problems, those of grids' experiments at the key of the grid that sets what is wrong.

        Where none does, the first of the experiments concerned is named.
        """
        found: dict[tuple[Path, str], Problem] = {}
        for problem in problems:
            place, experiment = self._place(problem.path)
            named = f"experiment {experiment}: " if experiment else ""
            located = Problem(place, f"{named}{problem.sentence}")
            found.setdefault((place, problem.sentence), located)
        return list(found.values())

    def _place(self, path: Path) -> tuple[Path, str]:
        """Path of a problem, and the grid's experiment that must be named, if any."""
        name = str(path[1]) if path[:1] == ("experiments",) and len(path) > 1 else ""
        found = self._cell(name)
        if found is None:
            return path, ""
        grid, cell = found
        set_by = key_of(self.grids[grid], cell.levels, str(path[2])) if len(path) > 2 else ()
        return ("grids", grid, *set_by, *(path[3:] if set_by else ())), "" if set_by else name

    def _cell(self, experiment: str) -> tuple[str, Cell] | None:
        """The grid and the cell that an experiment stands for."""
        cells = ((grid, cell) for grid, made in self.expansion.cells.items() for cell in made)
        return next((pair for pair in cells if pair[1].name == experiment), None)


@dataclass(frozen=True)
class Check:
    """A check and the paths of the keys that it reads."""

    reads: tuple[Path, ...]
    find: Callable[[Draft], Found]

    def can_run(self, faults: Collection[Path]) -> bool:
        """Whether none of the keys it reads is faulty, nor anything above or below them."""
        return not any(_overlap(fault, path) for fault in faults for path in self.reads)


def _overlap(fault: Path, path: Path) -> bool:
    if path == ("experiments",):
        return fault == path
    shared = min(len(fault), len(path))
    return fault[:shared] == path[:shared]


class Checks(list[Check]):
    """Checks in the order in which they are written down."""

    def reading(self, *keys: str) -> Callable[[Callable[[Draft], Found]], Callable[[Draft], Found]]:
        """Add a function as a check that reads these keys, written with dots."""

        def add(find: Callable[[Draft], Found]) -> Callable[[Draft], Found]:
            self.append(Check(tuple(tuple(key.split(".")) for key in keys), find))
            return find

        return add


def semantic_problems(
    values: Values, faults: Collection[Path], checks: Iterable[Check]
) -> list[Problem]:
    """All problems that the checks find.

    Args:
        values: of a config that may disagree with the schema.
        faults: paths of the keys where it does.
        checks: to run.
    """
    draft = draft_of(values, faults)
    able = (check for check in checks if check.can_run(faults))
    return draft.located(problem for check in able for problem in check.find(draft))


def draft_of(values: Values, faults: Collection[Path]) -> Draft:
    """What is right of a config; for the arguments see `semantic_problems`."""
    experiments = (
        {} if ("experiments",) in faults else cast(Mapping[str, Values], values["experiments"])
    )
    faulty = {fault[1] for fault in faults if fault[:1] == ("experiments",) and len(fault) > 1}
    sound = {
        name: make_experiment(name, fields)
        for name, fields in experiments.items()
        if name not in faulty
    }
    grids = _sound_grids(values, faults)
    expansion = expand(grids)
    config = replace(
        _as_far_as_right(values, StudyConfig),
        experiments={**expansion.experiments, **sound},
        grids=grids or None,
    )
    names = dict.fromkeys([*map(str, experiments), *expansion.experiments])
    return Draft(config, tuple(names), expansion)


def _sound_grids(values: Values, faults: Collection[Path]) -> dict[str, Grid]:
    """The grids without a fault."""
    faulty = {fault[1:2] for fault in faults if fault[:1] == ("grids",)}
    grids = {} if () in faulty else values.get("grids") or {}
    return {
        name: msgspec.convert(fields, Grid)
        for name, fields in cast(Mapping[str, object], grids).items()
        if fields is not None and (name,) not in faulty
    }


def _as_far_as_right(values: Values, kind: type[Section]) -> Section:
    """A section of the config whose faulty values are None."""
    found = {
        name: _value(values.get(key), own)
        for key, name, own, default in fields_of(kind)
        if key in values or default is msgspec.NODEFAULT
    }
    return kind(**found)


def _value(value: object, kind: object) -> object:
    try:
        return msgspec.convert(value, cast(type, kind))
    except msgspec.ValidationError:
        section = get_args(kind)[0] if get_origin(kind) is Annotated else kind
        if isinstance(section, type) and _has_keys(section) and isinstance(value, Mapping):
            return _as_far_as_right(value, section)
        return None


def _has_keys(kind: type) -> bool:
    return issubclass(kind, msgspec.Struct) or is_dataclass(kind)


def epochs_of(config: StudyConfig, experiment: Experiment, task: str) -> int:
    """Epochs of a student on a task."""
    return changed(training_on(config.student, task), experiment.training).epochs


def all_tasks(config: StudyConfig) -> list[str]:
    """Tasks of Table 1 and those that only the sweep over data sizes has."""
    sweep = config.sweeps.data_size
    more = sweep.tasks or () if sweep.fractions else ()
    return list(dict.fromkeys([*config.tasks, *more]))


def known_tasks(config: StudyConfig) -> dict[str, Task]:
    """The tasks of GLUE and those that the config defines, by name."""
    own = config.task_definitions or {}
    return {**GLUE, **{name: definition.task(name) for name, definition in own.items()}}


def internal_epochs(epochs: int, layers: int, fraction: float) -> int:
    """Epochs that staged schedules give to the layers: at least one each."""
    return max(layers, round(epochs * fraction))


def unknown(
    path: tuple[str, ...], names: Iterable[str], known: Collection[str], what: str
) -> Found:
    """A problem for each name that is not known; `what` is the kind of thing they name."""
    for name in names:
        if name not in known:
            yield Problem(path, f"unknown {what} '{name}'; {nearest(name, known)}")
