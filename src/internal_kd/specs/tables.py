"""Settings of the tables, of the files for GLUE's server, and of the statistics."""

from dataclasses import dataclass

from internal_kd.specs.reports import (
    Inference,
    ModelsSettings,
    PaperRow,
    ReportSettings,
    Row,
    StudentsSettings,
    TestedSettings,
)


@dataclass(frozen=True, kw_only=True)
class Table1Settings(ReportSettings, Inference):
    """Settings of Table 1.

    Attributes:
        experiments: its rows.
        tasks: its columns.
        with_paper: whether the paper's values stand beside ours.
    """

    experiments: tuple[PaperRow, ...]
    tasks: tuple[str, ...]
    with_paper: bool


@dataclass(frozen=True, kw_only=True)
class ChoiceSettings(ReportSettings):
    """Settings of what shows the test results of the best internal KD, or sends its answers.

    Attributes:
        tasks: names of the tasks.
        teacher: as a row of its own.
        standard: standard KD, as a row of its own.
        candidates: internal KDs, of which the best on the development set is chosen.
    """

    tasks: tuple[str, ...]
    teacher: Row
    standard: Row
    candidates: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True)
class Table2Settings(ChoiceSettings):
    """Settings of Table 2; `with_paper` puts the paper's values beside ours."""

    with_paper: bool


@dataclass(frozen=True, kw_only=True)
class SubmissionSettings(ChoiceSettings):
    """Settings of the files for GLUE's server.

    Attributes:
        official: whether the data are GLUE's own, so that a test split of another size than GLUE's
            is left out.
    """

    official: bool


@dataclass(frozen=True, kw_only=True)
class Table3Settings(ModelsSettings):
    """Settings of Table 3.

    Attributes:
        tasks: its blocks of rows.
        with_paper: whether the paper's numbers stand below ours.
        confidence: of the intervals, such as 0.95.
    """

    tasks: tuple[str, ...]
    with_paper: bool
    confidence: float


@dataclass(frozen=True, kw_only=True)
class Table4Settings(ModelsSettings):
    """Settings of Table 4.

    Attributes:
        tasks: its blocks of rows.
        examples: at most so many per task and wrong student.
        seed: of the draw.
        student_seed: which run of the students is shown.
    """

    tasks: tuple[str, ...]
    examples: int
    seed: int
    student_seed: int


@dataclass(frozen=True)
class Reading:
    """An experiment that is another reading of the paper.

    Attributes:
        name: of the experiment.
        label: of the experiment.
        of: name of the experiment that it is a reading of.
        of_label: label of that.
    """

    name: str
    label: str
    of: str
    of_label: str


@dataclass(frozen=True, kw_only=True)
class ReadingsSettings(ReportSettings, Inference):
    """Settings of the table of other readings of the paper."""

    tasks: tuple[str, ...]
    readings: tuple[Reading, ...]


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
class ClaimsSettings(TestedSettings):
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
