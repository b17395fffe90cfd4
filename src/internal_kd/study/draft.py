"""A config under inspection, and the lists of its checks.

Each check names the keys it reads. It runs only where the schema found no fault with them, so it
can rely on their form; a faulty experiment is skipped without stopping the checks of the others.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from internal_kd.specs.experiments import Experiment, make_experiment
from internal_kd.study.problems import Path, Problem
from internal_kd.tasks import nearest

Config = Mapping[str, Any]
Found = Iterator[Problem]


@dataclass(frozen=True)
class Draft:
    """A config under inspection: its values, and its experiments as far as their form is right."""

    config: Config
    experiments: tuple[Experiment, ...]

    @property
    def students(self) -> tuple[Experiment, ...]:
        """The experiments that train students."""
        return tuple(experiment for experiment in self.experiments if not experiment.is_teacher)

    def __getitem__(self, key: str) -> Any:
        return self.config[key]


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
    config: Config, faults: Collection[Path], checks: Iterable[Check]
) -> list[Problem]:
    """All problems that the checks find.

    Args:
        config: a config that may disagree with the schema.
        faults: paths of the keys where it does.
        checks: to run.
    """
    draft = Draft(config, tuple(_sound_experiments(config, faults)))
    able = (check for check in checks if check.can_run(faults))
    return [problem for check in able for problem in check.find(draft)]


def _sound_experiments(config: Config, faults: Collection[Path]) -> Iterator[Experiment]:
    if ("experiments",) in faults:
        return
    for name, fields in config["experiments"].items():
        if not any(fault[:2] == ("experiments", name) for fault in faults):
            yield make_experiment(name, fields)


def training_of(config: Config, role: str, task: str) -> dict[str, Any]:
    """Training settings of ``teacher`` or ``student`` on a task, with what differs there."""
    section = config[role]
    return {**section["training"], **(section["per_task"] or {}).get(task, {})}


def epochs_of(config: Config, experiment: Experiment, task: str) -> int:
    """Epochs of a student on a task."""
    own = {**training_of(config, "student", task), **experiment.training}
    return int(own["epochs"])


def all_tasks(config: Config) -> list[str]:
    """Tasks of Table 1 and those that only the sweep over data sizes has."""
    sweep = config["sweeps"]["data_size"]
    more = sweep["tasks"] or [] if sweep["fractions"] else []
    return list(dict.fromkeys([*config["tasks"], *more]))


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
