"""The history of a training: one row per epoch, with means of every loss term."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

Row = dict[str, object]


class TermMeans:
    """Means of loss terms over an epoch's batches; the device is not waited for at each step.

    The same terms act in all batches of an epoch; they are added as one vector, because on a GPU
    each addition is a launch.
    """

    def __init__(self) -> None:
        self._names: list[str] = []
        self._sums: Tensor | None = None
        self._count = 0

    def add(self, terms: dict[str, Tensor]) -> None:
        """Count the terms of one batch, each a scalar.

        They are copied: the next step may write its own over the results of a CUDA graph.
        """
        values = torch.stack([term.detach() for term in terms.values()])
        if self._sums is None:
            self._names, self._sums = list(terms), torch.zeros_like(values)
        assert self._names == list(terms)
        self._sums = self._sums + values
        self._count += 1

    def state_dict(self) -> dict[str, Any]:
        """Names, sums and number of batches."""
        return {"names": self._names, "sums": self._sums, "count": self._count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        self._names, self._sums, self._count = state["names"], state["sums"], state["count"]

    def means(self) -> dict[str, float]:
        """Mean of each term that acted in the epoch."""
        assert self._sums is not None
        return dict(zip(self._names, (self._sums.double() / self._count).tolist(), strict=True))


def development_scores(row: Row) -> dict[str, float]:
    """Development scores of a row by metric."""
    prefix = "validation_"
    return {
        name.removeprefix(prefix): cast(float, value)
        for name, value in row.items()
        if name.startswith(prefix)
    }


def write_history(path: str | Path, rows: Iterable[Row]) -> None:
    """Write rows as CSV; the field of a term that did not act in an epoch is empty."""
    rows = list(rows)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
