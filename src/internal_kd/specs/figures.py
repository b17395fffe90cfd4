"""Settings of the figures, one type for each kind; see `specs.reports`."""

from dataclasses import dataclass

from internal_kd.specs.reports import ModelsSettings, ReportSettings, Row, StudentsSettings


@dataclass(frozen=True, kw_only=True)
class ParametersSettings(ModelsSettings):
    """Settings of score against number of parameters."""

    task: str


@dataclass(frozen=True, kw_only=True)
class DataSizeSettings(ModelsSettings):
    """Settings of score against training size; `layers` are those of the students."""

    task: str
    layers: int


@dataclass(frozen=True, kw_only=True)
class ConvergenceSettings(ReportSettings):
    """Settings of scores over epochs; each experiment is a line."""

    task: str
    teacher: Row
    experiments: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True)
class HeadsSettings(ModelsSettings):
    """Settings of the attention of all layers.

    Attributes:
        task: whose example is shown.
        head: from 1 (the paper's "head 0" is the first); None for the last.
    """

    task: str
    head: int | None


@dataclass(frozen=True, kw_only=True)
class AttentionSettings(HeadsSettings):
    """Settings of the attention of one head; `layer` counts from 1, None for the last but one."""

    layer: int | None


@dataclass(frozen=True, kw_only=True)
class AttentionKlSettings(StudentsSettings):
    """Settings of the distances from the teacher on all examples."""

    tasks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RoleRow(Row):
    """An experiment, and what it is drawn as: `teacher`, `standard` or `internal`."""

    role: str


@dataclass(frozen=True, kw_only=True)
class CalibrationSettings(ReportSettings):
    """Settings of the reliability diagrams: a panel for each task."""

    tasks: tuple[str, ...]
    experiments: tuple[RoleRow, ...]
