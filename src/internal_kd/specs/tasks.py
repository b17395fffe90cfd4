"""What a task is: its text columns, its labels, and the metrics it is judged by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Metric = Literal["accuracy", "f1", "f1_weighted", "mcc"]
Kind = Literal["single_label_classification"]
SINGLE_LABEL: Kind = "single_label_classification"

SPLITS = ("train", "validation", "test")
# What is recorded of a task of each kind.
METRICS_OF: Mapping[Kind, tuple[Metric, ...]] = {
    SINGLE_LABEL: ("accuracy", "f1", "f1_weighted", "mcc"),
}


@dataclass(frozen=True, kw_only=True)
class TaskData:
    """What a task's examples are like.

    Attributes:
        name: of the task, in paths and in the config.
        kind: of its labels, in the words of Transformers.
        text_columns: one, or two for a pair of texts.
        labels: names of the classes in the order of their numbers; None for those that the training
            data have.
    """

    name: str
    kind: Kind = SINGLE_LABEL
    text_columns: tuple[str, ...]
    labels: tuple[str, ...] | None

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, as far as they are known."""
        return self.labels or ()


@dataclass(frozen=True, kw_only=True)
class Task(TaskData):
    """A task over one text or a pair of texts, and what it is judged by.

    All metrics of its kind (`METRICS_OF`) are recorded.

    Attributes:
        title: in tables and figures.
        metrics: those that tables show.
        selection_metric: development score that picks the best epoch.
    """

    title: str
    metrics: tuple[Metric, ...]
    selection_metric: Metric

    @property
    def data(self) -> TaskData:
        """What of it its examples depend on."""
        return TaskData(
            name=self.name,
            kind=self.kind,
            text_columns=self.text_columns,
            labels=self.labels,
        )

    def __post_init__(self) -> None:
        unknown = {*self.metrics, self.selection_metric} - set(METRICS_OF[self.kind])
        if unknown:
            raise ValueError(f"task {self.name}: unknown metrics {sorted(unknown)}")
