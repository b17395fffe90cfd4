"""Settings of the statistics: significance, and the claims of the paper; see `specs.reports`."""

from dataclasses import dataclass

from internal_kd.specs.reports import (
    Inference,
    PaperRow,
    ReportSettings,
    Row,
    StudentsSettings,
)


@dataclass(frozen=True, kw_only=True)
class SignificanceSettings(StudentsSettings, Inference):
    """Settings of the tests of internal against standard KD.

    Attributes:
        tasks: names of the tasks.
        candidates: every internal KD.
        teachers: number of teachers of each task.
    """

    tasks: tuple[str, ...]
    candidates: tuple[Row, ...]
    teachers: int


@dataclass(frozen=True)
class LayerSweep:
    """Tasks on which students have several depths, and those depths."""

    tasks: tuple[str, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class SizeSweep:
    """Tasks on which students see parts of the data, and those parts in percent."""

    tasks: tuple[str, ...]
    percents: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class ClaimsSettings(ReportSettings, Inference):
    """Settings of the checks of the paper's claims.

    Attributes:
        tasks: those of Table 1.
        rows: all experiments with runs.
        standard: name of standard KD.
        internal: name of internal KD.
        sweep_layers: students of several depths.
        sweep_sizes: students with parts of the data.
        student_layers: transformer layers of the students of Table 1.
        margin: difference of scores (0 to 1) that counts as near.
    """

    tasks: tuple[str, ...]
    rows: tuple[PaperRow, ...]
    standard: str
    internal: str
    sweep_layers: LayerSweep
    sweep_sizes: SizeSweep
    student_layers: int
    margin: float
