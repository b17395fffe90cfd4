"""A run: one training, and the folder of its files."""

import re
from dataclasses import asdict, dataclass

PATTERN = "runs/{task}/{experiment}/layers{layers}/train{percent}/seed{seed}"
NAME = "{task}-{experiment}-layers{layers}-train{percent}-seed{seed}"


@dataclass(frozen=True, order=True)
class Run:
    """One training; its fields are the wildcards of the workflow.

    Attributes:
        task: name of the task.
        experiment: name of the experiment.
        layers: transformer layers of the model that is trained.
        percent: share of the training split in percent, 1 to 100.
        seed: of everything random in the run.
    """

    task: str
    experiment: str
    layers: int
    percent: int
    seed: int

    def path(self, results: str) -> str:
        """Folder of the run below the study's ``results`` folder."""
        return f"{results}/{PATTERN.format(**asdict(self))}"

    @property
    def name(self) -> str:
        """Name of its log, its checkpoints and its lock."""
        return NAME.format(**asdict(self))

    @property
    def title(self) -> str:
        """What people call it."""
        return (
            f"{self.experiment} on {self.task}, {self.layers} layers, {self.percent} % of the "
            f"data, seed {self.seed}"
        )


def run_of_path(path: str) -> Run | None:
    """The run that a path belongs to: one in its folder, or one named after it."""
    found = re.search(_FOLDER, path) or re.search(_FILE, path)
    if found is None:
        return None
    numbers = (int(found[name]) for name in ("layers", "percent", "seed"))
    return Run(found["task"], found["experiment"], *numbers)


def _expression(pattern: str) -> str:
    """The fields of a pattern as groups: names, which contain no slash, and whole numbers."""
    names = {name: rf"(?P<{name}>[^/]+)" for name in ("task", "experiment")}
    numbers = {name: rf"(?P<{name}>\d+)" for name in ("layers", "percent", "seed")}
    return pattern.format(**names, **numbers)


_FOLDER = rf"(?:^|/){_expression(PATTERN)}(?:/|$)"
# A task's name has no hyphen.
_FILE = rf"(?:^|/){_expression(NAME)}(?:\.\w+)?$".replace("[^/]+", "[^/-]+", 1)
