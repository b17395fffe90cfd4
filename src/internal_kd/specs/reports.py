"""What every table, statistic and figure is given, and what several of them share.

Its job gets the settings as JSON and decodes them into the same types. A key that cannot change a
table is none of its settings: Snakemake reruns a job when its settings change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from internal_kd.specs.tasks import Task


@dataclass(frozen=True)
class Row:
    """An experiment, as a row of a table or a line of a figure.

    Attributes:
        name: of the experiment.
        label: of the experiment.
        head: what the head of its students starts as; None for the teacher.
        baseline: name of the standard KD from the same start; None for the teacher, and where the
            study has none.
    """

    name: str
    label: str
    head: str | None = None
    baseline: str | None = None


@dataclass(frozen=True)
class PaperRow(Row):
    """An experiment, and the row of the paper's Table 1 that it stands for, if any."""

    paper_row: str | None = None


@dataclass(frozen=True, kw_only=True)
class ReportSettings:
    """Settings of any table, statistic or figure.

    Attributes:
        study: name of the study.
        task_specs: by name, the tasks of all runs that it reads.
        note: what must be said below it; "" for nothing.
    """

    study: str
    task_specs: Mapping[str, Task]
    note: str


@dataclass(frozen=True, kw_only=True)
class Inference:
    """How differences of scores are tested.

    Attributes:
        confidence: of intervals, such as 0.95.
        resamples: of bootstraps and permutation tests.
        seed: of the resampling.
    """

    confidence: float
    resamples: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class TestedSettings(ReportSettings, Inference):
    """Settings of a report with tests."""

    __test__ = False  # not a class of tests for pytest, despite its name


@dataclass(frozen=True, kw_only=True)
class StudentsSettings(ReportSettings):
    """Settings of what compares the two students, standard and internal KD."""

    standard: Row
    internal: Row

    @property
    def roles(self) -> Mapping[str, Row]:
        """The models compared, by their roles."""
        return {"standard": self.standard, "internal": self.internal}


@dataclass(frozen=True, kw_only=True)
class ModelsSettings(StudentsSettings):
    """Settings of what puts the teacher and both students side by side."""

    teacher: Row

    @property
    def roles(self) -> Mapping[str, Row]:
        """The models compared, by their roles."""
        return {"teacher": self.teacher, **super().roles}


ItemKind = Literal["table", "figure", "file"]


@dataclass(frozen=True)
class IndexItem:
    """A table, figure or file of the index.

    Attributes:
        kind: how it is shown.
        name: part of its address on the page.
        title: its heading.
        file: path below the results.
        caption: name of a caption's file, without suffix.
        more: paths of other files to link to.
    """

    kind: ItemKind
    name: str
    title: str
    file: str
    caption: str
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class IndexSection:
    """A section of the index."""

    title: str
    items: tuple[IndexItem, ...]


@dataclass(frozen=True)
class LeftOut:
    """What a study cannot have, and why."""

    name: str
    why: str


@dataclass(frozen=True, kw_only=True)
class IndexSettings(ReportSettings):
    """Settings of the index: what it shows, and what the study cannot have."""

    sections: tuple[IndexSection, ...]
    missing: tuple[LeftOut, ...]
