"""The history of a training: one row per epoch, with means of every loss term."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from torch import Tensor

Row = dict[str, object]


class TermMeans:
    """Means of loss terms over an epoch's batches; the device is not waited for at each step."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, terms: dict[str, Tensor]) -> None:
        """Count the terms of one batch, each a scalar."""
        for name, term in terms.items():
            value = term.detach()
            self._sums[name] = self._sums[name] + value if name in self._sums else value
            self._counts[name] = self._counts.get(name, 0) + 1

    def state_dict(self) -> dict[str, dict[str, Any]]:
        """Sums and counts."""
        return {"sums": dict(self._sums), "counts": dict(self._counts)}

    def load_state_dict(self, state: dict[str, dict[str, Any]]) -> None:
        """Restore what `state_dict` gave."""
        self._sums, self._counts = dict(state["sums"]), dict(state["counts"])

    def means(self) -> dict[str, float]:
        """Mean of each term that acted in the epoch."""
        return {name: float(total) / self._counts[name] for name, total in self._sums.items()}


def write_history(path: str | Path, rows: Iterable[Row]) -> None:
    """Write rows as CSV; a term that did not act in an epoch leaves its field empty."""
    rows = list(rows)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
