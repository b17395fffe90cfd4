"""What the claims are checked on: runs by their roles, and distances from the teacher."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from zlib import crc32

import numpy as np
import pandas as pd

from internal_kd.evaluation.predictions import SplitPredictions
from internal_kd.reporting.runs import RunFolder
from internal_kd.reporting.selection import runs_of
from internal_kd.specs.tables import ClaimsSettings

ALL_DATA = 100
TEACHER, NO_KD = "exp1.0", "exp1.1"
INTERNAL_ROWS = "exp3."


class NoData(Exception):
    """A claim cannot be checked; the text names what is missing."""


@dataclass(frozen=True)
class RememberedRun(RunFolder):
    """A run that reads its files once and forgets predictions on hidden labels.

    Attributes:
        source: the run that is read.
    """

    source: RunFolder

    @cached_property
    def _known(self) -> dict[str, SplitPredictions]:
        found = self.source.predictions()
        return {
            name: frame
            for name, frame in found.items()
            if name == "validation" or (frame.labels >= 0).all()
        }

    def predictions(self) -> dict[str, SplitPredictions]:
        """Predictions of each split with known labels by name."""
        return self._known

    @cached_property
    def _epochs(self) -> pd.DataFrame:
        return self.source.history()

    def history(self) -> pd.DataFrame:
        """One row per epoch."""
        return self._epochs


class Evidence:
    """The runs of a study by their roles in the paper.

    Args:
        runs: of Table 1 and of both sweeps.
        distances: one row per student run, example and layer; None without any.
        settings: of the claims.
    """

    def __init__(
        self,
        runs: Iterable[RunFolder],
        distances: pd.DataFrame | None,
        settings: ClaimsSettings,
    ) -> None:
        self.runs = [RememberedRun(run.folder, run.metrics, run.spec, run) for run in runs]
        self._sizes: dict[tuple[str, str, int, int], list[RunFolder]] = {}
        for run in self.runs:
            size = run.task, run.experiment, run.layers, run.percent
            self._sizes.setdefault(size, []).append(run)
        self.distances = distances
        self.settings = settings
        self._rows = {row.name: row for row in settings.rows}
        papers = {row.paper_row: name for name, row in self._rows.items()}
        self.roles = {row: name for row, name in papers.items() if row}

    @property
    def confidence(self) -> float:
        """Of intervals."""
        return self.settings.confidence

    @property
    def margin(self) -> float:
        """Difference of scores (0 to 1) that counts as near."""
        return self.settings.margin

    @property
    def standard(self) -> str:
        """Name of the experiment of standard KD."""
        return self.settings.standard

    @property
    def internal(self) -> str:
        """Name of the experiment of internal KD."""
        return self.settings.internal

    @property
    def depth(self) -> int:
        """Transformer layers of the students of Table 1."""
        return self.settings.student_layers

    def rng(self, key: str) -> np.random.Generator:
        """Random numbers of their own for each key."""
        return np.random.default_rng([self.settings.seed, crc32(key.encode())])

    def name_of(self, row: str) -> str:
        """The experiment that stands for a row of the paper's Table 1.

        Raises:
            NoData: there is none.
        """
        if row not in self.roles:
            raise NoData(f"no experiment of this study corresponds to the paper's {row}")
        return self.roles[row]

    def internal_names(self) -> list[str]:
        """Every internal KD: the rows Exp3.x, and the one that is compared."""
        rows = sorted(row for row in self.roles if row.startswith(INTERNAL_ROWS))
        return list(dict.fromkeys([*(self.roles[row] for row in rows), self.internal]))

    def student_names(self) -> list[str]:
        """Every student of Table 1."""
        names = [self.roles[row] for row in sorted(self.roles) if row != TEACHER]
        return list(dict.fromkeys([*names, self.standard, self.internal]))

    def head(self, name: str) -> str | None:
        """What the classification head of an experiment starts as; None for the teacher."""
        return self._rows[name].head if name in self._rows else None

    def baseline(self, name: str) -> str | None:
        """Standard KD that starts and is trained as an experiment; None if there is none."""
        return self._rows[name].baseline if name in self._rows else None

    def across_heads(self, first: str, second: str) -> list[str]:
        """The reservation that two students start with different heads, if they do."""
        if self.head(first) == self.head(second):
            return []
        return [f"{first} and {second} start with different heads"]

    def unlike_starts(self, name: str, standard: str) -> list[str]:
        """The reservation that a standard KD is not the baseline of an experiment, if it is not."""
        if self.baseline(name) == standard:
            return []
        return self.across_heads(name, standard) or [f"{name} and {standard} start differently"]

    def pair_unlike(self) -> list[str]:
        """The same for the two students that are compared."""
        return self.unlike_starts(self.internal, self.standard)

    def known(self, task: str, names: Iterable[str]) -> dict[str, list[RunFolder]]:
        """Runs of Table 1's size by name, of those experiments that have any on a task."""
        found = {name: self._sized(task, name, self.depth, ALL_DATA) for name in names}
        return {name: runs for name, runs in found.items() if runs}

    def students(
        self, task: str, name: str, layers: int | None = None, percent: int = ALL_DATA
    ) -> list[RunFolder]:
        """The runs of an experiment, one per seed; of Table 1's size unless given.

        Raises:
            NoData: there are none.
        """
        depth = self.depth if layers is None else layers
        found = self._sized(task, name, depth, percent)
        if not found:
            raise NoData(f"no runs of {name} with {depth} layers on {percent} % of the data")
        return found

    def pair(
        self, task: str, layers: int | None = None, percent: int = ALL_DATA
    ) -> dict[str, list[RunFolder]]:
        """The runs of "standard" and "internal" KD; raises `NoData` as `students` does."""
        names = {"standard": self.standard, "internal": self.internal}
        return {role: self.students(task, name, layers, percent) for role, name in names.items()}

    def teachers(self, task: str) -> list[RunFolder]:
        """The teachers on all data: one for all students, or one for each of their seeds.

        Raises:
            NoData: there is none.
        """
        name = self.name_of(TEACHER)
        whole = [run for run in self.runs if run.percent == ALL_DATA]
        found = runs_of(whole, task, name)
        if not found:
            raise NoData(f"no run of the teacher {name}")
        return found

    def _sized(self, task: str, name: str, layers: int, percent: int) -> list[RunFolder]:
        return runs_of(self._sizes.get((task, name, layers, percent), []), task, name)


def tasks_of_table1(evidence: Evidence) -> Sequence[str]:
    """The tasks of Table 1."""
    return evidence.settings.tasks
