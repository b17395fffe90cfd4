"""The history of a training, the epoch whose model it keeps, and how fast it was."""

import copy
import csv
import math
import resource
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

import torch
from msgspec import UNSET
from torch import Tensor, nn

from internal_kd.specs.records import Speed

Row = dict[str, float | str]


class MeansState(TypedDict):
    """Names, sums `[terms]` and number of batches; no sums before the first batch."""

    names: list[str]
    sums: Tensor | None
    count: int


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

    def state_dict(self) -> MeansState:
        """The state as plain data and a tensor."""
        return {"names": self._names, "sums": self._sums, "count": self._count}

    def load_state_dict(self, state: MeansState) -> None:
        """Restore what `state_dict` gave."""
        self._names, self._sums, self._count = state["names"], state["sums"], state["count"]

    def means(self) -> dict[str, float]:
        """Mean of each term that acted in the epoch."""
        assert self._sums is not None
        return dict(zip(self._names, (self._sums.double() / self._count).tolist(), strict=True))


def development_scores(row: Row) -> dict[str, float]:
    """Development scores of a row by metric."""
    prefix = "validation_"
    scores = {name: value for name, value in row.items() if name.startswith(prefix)}
    return {name.removeprefix(prefix): float(value) for name, value in scores.items()}


def write_history(path: str | Path, rows: Iterable[Row]) -> None:
    """Write rows as CSV; the field of a term that did not act in an epoch is empty."""
    rows = list(rows)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


class SelectionState(TypedDict):
    """The fields of a `Selection`."""

    keep: str
    epoch: int
    score: float
    state: dict[str, Tensor]


@dataclass
class Selection:
    """The epoch whose model is kept: the first with the best score, or the last."""

    keep: str
    epoch: int = 0
    score: float = -math.inf
    state: dict[str, Tensor] = field(default_factory=dict)

    def offer(self, model: nn.Module, epoch: int, score: float) -> None:
        """Keep a copy of the model's parameters if this epoch is to be preferred."""
        if self.keep == "last" or score > self.score:
            self.epoch, self.score = epoch, score
            self.state = copy.deepcopy(dict(model.state_dict()))

    def state_dict(self) -> SelectionState:
        """The state as plain data and tensors."""
        return {
            "keep": self.keep,
            "epoch": self.epoch,
            "score": self.score,
            "state": self.state,
        }


KILO = 1 if sys.platform == "darwin" else 1024  # of which ru_maxrss counts bytes or kilobytes


def speed_of(
    examples: int, real_share: float, history: Iterable[Row], device: torch.device
) -> Speed:
    """Examples per second of training, share of real tokens, and memory.

    Args:
        examples: of an epoch.
        real_share: real tokens for each position, padding included.
        history: of the training.
        device: that it ran on.
    """
    rows, on_gpu = list(history), device.type == "cuda"
    seconds = sum(float(row["train_seconds"]) for row in rows)
    examples *= len(rows)
    return Speed(
        device=torch.cuda.get_device_name(device) if on_gpu else "cpu",
        examples_per_second=round(examples / max(seconds, 1e-3), 3),
        seconds_per_example=round(seconds / examples, 9),
        real_tokens_per_padded_token=round(real_share, 4),
        peak_memory_mb=_millions(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KILO),
        peak_gpu_memory_mb=_millions(torch.cuda.max_memory_allocated(device)) if on_gpu else UNSET,
    )


def _millions(amount: int) -> float:
    return round(amount / 1e6, 1)
