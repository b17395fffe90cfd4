"""Tasks of a user's own, as a config defines them."""

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta

from internal_kd.specs.tasks import SPLITS, Kind, Metric, Task
from internal_kd.specs.values import EACH_ONCE, FilePath, Section, Text

Texts = Annotated[
    tuple[Text, ...],
    Meta(min_length=1, extra_json_schema={"maxItems": 2, "expected": "one column, or two"}),
    EACH_ONCE,
]
Labels = Annotated[
    Annotated[tuple[Text, ...], EACH_ONCE] | None,
    Meta(
        extra_json_schema={
            "expected": "a list of names in quotes where they are numbers or true and false, or "
            "null for those of the training data"
        }
    ),
]
Metrics = Annotated[tuple[Metric, ...], Meta(min_length=1), EACH_ONCE]
Delimiter = Annotated[
    str,
    Meta(extra_json_schema={"minLength": 1, "maxLength": 1, "expected": "one character"}),
]
Columns = Annotated[
    Annotated[tuple[Text, ...], EACH_ONCE] | None,
    Meta(
        extra_json_schema={
            "expected": "the names of all columns, or null where the first line has them"
        }
    ),
]


class Part(Section, frozen=True):
    """A part of the training split.

    Attributes:
        share: of the training rows, the same in every class.
    """

    share: Annotated[float, Meta(extra_json_schema={"exclusiveMinimum": 0, "maximum": 0.5})]


class TaskFiles(Section, frozen=True):
    """Where a task's examples lie, relative to the working directory.

    Attributes:
        train: file or folder of the training split.
        validation: of the development split, or the share of the training rows that becomes it.
        test: of the test split; null for none.
    """

    train: FilePath
    validation: FilePath | Part
    test: FilePath | None = None

    @property
    def paths(self) -> Mapping[str, str]:
        """The paths that there are, by split."""
        found = {split: getattr(self, split) for split in SPLITS}
        return {split: path for split, path in found.items() if isinstance(path, str)}


class TableFormat(Section, frozen=True):
    """How rows are written in files of text.

    Attributes:
        delimiter: between columns; null for a comma in .csv files and a tab in others.
        header: names of all columns; null where the first line has them.
        quoting: whether fields may stand in double quotes, which then may hold line breaks.
    """

    delimiter: Delimiter | None = None
    header: Columns = None
    quoting: Literal["double", "none"] = "double"


class TaskDefinition(Section, frozen=True):
    """A task of a user's own.

    Attributes:
        text: the column of its texts, or the two columns of its pairs of texts.
        label: the column of its labels.
        files: where its examples lie.
        title: what tables call it; null for its name.
        kind: of its labels.
        labels: names of the classes in the order of their numbers; null for those of the training
            data, sorted.
        metrics: scores that tables show.
        select: score that picks the best epoch; null for the first of metrics.
        format: how rows are written in files of text.
    """

    text: Texts
    label: Text
    files: TaskFiles
    title: Text | None = None
    kind: Kind = "single_label_classification"
    labels: Labels = None
    metrics: Metrics = ("accuracy",)
    select: Metric | None = None
    format: TableFormat = TableFormat()

    def task(self, name: str) -> Task:
        """The task that it defines."""
        return Task(
            name=name,
            kind=self.kind,
            text_columns=self.text,
            labels=self.labels,
            title=self.title or name,
            metrics=self.metrics,
            selection_metric=self.select or self.metrics[0],
        )
