"""The folders that runs write, as tables, figures and statistics read them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from internal_kd.errors import UserError, as_user_error
from internal_kd.evaluation.predictions import SplitPredictions, read_predictions
from internal_kd.reporting.scores import read_metrics
from internal_kd.specs.records import Metrics
from internal_kd.specs.tasks import Task


@dataclass(frozen=True)
class RunFolder:
    """A finished run.

    Attributes:
        folder: where its files lie.
        metrics: the contents of its metrics.json.
        spec: the task.
    """

    folder: Path
    metrics: Metrics
    spec: Task

    @property
    def task(self) -> str:
        """Name of the task."""
        return self.metrics.run.task

    @property
    def experiment(self) -> str:
        """Name of the experiment."""
        return self.metrics.run.experiment

    @property
    def layers(self) -> int:
        """Transformer layers of the model."""
        return self.metrics.run.layers

    @property
    def percent(self) -> int:
        """Share of the training split in percent."""
        return self.metrics.run.percent

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return self.metrics.run.seed

    def score(self, metric: str, split: str = "validation") -> float | None:
        """A score (0 to 1), or None where the split has no labels."""
        found = self.metrics.scores.get(split)
        return None if found is None else found[metric]

    def predictions(self) -> dict[str, SplitPredictions]:
        """Predictions of each split by name, rows ascending by index.

        Raises:
            UserError: their file is absent or broken.
        """
        return predictions_in(self.folder)

    def history(self) -> pd.DataFrame:
        """One row per epoch.

        Raises:
            UserError: its file is absent or broken.
        """
        file = self.folder / "history.csv"
        with as_user_error(file, "not the history of a run", "make it again"):
            return pd.read_csv(file)


def predictions_in(folder: Path) -> dict[str, SplitPredictions]:
    """Predictions of the run in a folder, see `RunFolder.predictions`."""
    file = folder / "predictions.parquet"
    with as_user_error(file, "not the predictions of a run", "make it again"):
        return read_predictions(file)


def read_run_folders(folders: Iterable[str | Path], tasks: Mapping[str, Task]) -> list[RunFolder]:
    """The runs in these folders.

    Args:
        folders: of the runs.
        tasks: by name, those that runs may be of.

    Raises:
        UserError: a folder does not hold the metrics of a run, or a run is of another task.
    """
    paths = [Path(folder) for folder in folders]
    found = read_metrics(path / "metrics.json" for path in paths)
    return [_run(path, metrics, tasks) for path, metrics in zip(paths, found, strict=True)]


def _run(folder: Path, metrics: Metrics, tasks: Mapping[str, Task]) -> RunFolder:
    spec = tasks.get(metrics.run.task)
    if spec is None:
        raise UserError(
            f"{folder}: a run of the task {metrics.run.task}, which is none of "
            f"{', '.join(tasks)}; remove it from --runs"
        )
    return RunFolder(folder, metrics, spec)


def select(
    runs: Iterable[RunFolder],
    *,
    task: str | None = None,
    experiment: str | None = None,
    layers: int | None = None,
    percent: int | None = None,
    seed: int | None = None,
) -> list[RunFolder]:
    """The runs that match all given values, ordered by layers, percent and seed."""
    given = {"task": task, "experiment": experiment, "layers": layers}
    given |= {"percent": percent, "seed": seed}
    chosen = {key: value for key, value in given.items() if value is not None}
    found = [
        run for run in runs if all(getattr(run, key) == value for key, value in chosen.items())
    ]
    return sorted(found, key=lambda run: (run.layers, run.percent, run.seed))
