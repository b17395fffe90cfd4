"""What a study shows: rows, columns, comparisons, sweeps, figures and statistics."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from internal_kd.specs.values import (
    EACH_ONCE,
    Count,
    Index,
    Name,
    Names,
    NamesOrAll,
    Section,
    Seed,
    Share,
)


class Table1(Section, frozen=True):
    """Rows and columns of Table 1.

    Attributes:
        experiments: names of the experiments, in the order of the rows; null for all but those of
            grids.
        tasks: names of the tasks, in the order of the columns; null for all of the study's.
        paper_values: whether the paper's values stand beside those of the study.
    """

    experiments: NamesOrAll
    tasks: NamesOrAll
    paper_values: bool


class Comparison(Section, frozen=True):
    """The two students that sweeps, error analysis and attention figures compare.

    Attributes:
        standard: name of the experiment of standard KD.
        internal: name of the experiment of internal KD.
    """

    standard: Name
    internal: Name

    @property
    def names(self) -> tuple[str, str]:
        """Of both."""
        return self.standard, self.internal


class LayerSweep(Section, frozen=True):
    """Students of other depths.

    Attributes:
        counts: numbers of student layers besides student.layers.
        tasks: names of the tasks; null for all of Table 1.
    """

    counts: Annotated[tuple[Count, ...], EACH_ONCE]
    tasks: NamesOrAll


class SizeSweep(Section, frozen=True):
    """Students that see a part of the training split.

    Attributes:
        fractions: parts of the training split besides all of it.
        tasks: names of the tasks; null for all of Table 1.
        teacher: whether the teacher has seen all data or the same share as its students.
    """

    fractions: Annotated[tuple[Annotated[float, Meta(gt=0, le=1)], ...], EACH_ONCE]
    tasks: NamesOrAll
    teacher: Literal["all", "same"]


class Sweeps(Section, frozen=True):
    """Trainings beyond Table 1.

    Attributes:
        layers: students of other depths.
        data_size: students that see a part of the training split.
    """

    layers: LayerSweep
    data_size: SizeSweep


class FigureSettings(Section, frozen=True):
    """What a figure shows; which keys it has beside `kind` depends on that.

    Attributes:
        kind: what is drawn.
        task: name of the task.
        experiments: names of the experiments.
        example: row of the development split, from 0.
        layer: student layer, from 1; null for the last but one.
        head: attention head, from 1; null for the last.
    """

    kind: Literal[
        "parameters",
        "data_size",
        "convergence",
        "attention",
        "heads",
        "attention_kl",
        "calibration",
        "objective_scores",
        "start_slopes",
    ]
    task: Name | UnsetType = UNSET
    experiments: Names | UnsetType = UNSET
    example: Index | UnsetType = UNSET
    layer: Count | UnsetType | None = UNSET
    head: Count | UnsetType | None = UNSET


class Table4(Section, frozen=True):
    """Examples that exactly one of the two students gets wrong.

    Attributes:
        examples: examples per task and direction.
        seed: seed of the choice of examples.
    """

    examples: Count
    seed: Seed


class Statistics(Section, frozen=True):
    """Significance tests and checks of the paper's claims.

    Attributes:
        confidence: confidence of intervals; verdicts need p below 1 - confidence.
        resamples: resamples of bootstraps and permutation tests.
        seed: seed of resamples.
        margin: difference of scores (0 to 1) below which they count as near.
    """

    confidence: Annotated[float, Meta(gt=0, lt=1)]
    resamples: Annotated[int, Meta(ge=100)]
    seed: Seed
    margin: Share
