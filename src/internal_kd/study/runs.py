"""A run: one training, and the folder it leaves its files in."""

from dataclasses import asdict, dataclass

PATTERN = "runs/{task}/{experiment}/layers{layers}/train{percent}/seed{seed}"


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
