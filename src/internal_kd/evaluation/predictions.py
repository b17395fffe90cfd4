"""The file of a run's predictions: one row per development and test example."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

Number = TypeVar("Number", bound="np.generic[object]")


@dataclass(frozen=True)
class SplitPredictions:
    """A model's predictions on the n examples of a split, in any order.

    Attributes:
        indices: int64 [n], row numbers in the split.
        labels: int64 [n], -1 where unlabelled.
        logits: float32 [n, classes].
    """

    indices: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    logits: npt.NDArray[np.float32]

    @property
    def predictions(self) -> npt.NDArray[np.int64]:
        """Class of the largest logit, int64 [n]."""
        return self.logits.argmax(axis=1).astype(np.int64)

    @property
    def probabilities(self) -> npt.NDArray[np.float32]:
        """Softmax of the logits over the classes, float32 [n, classes]."""
        logits = self.logits.astype(np.float64)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def write_predictions(path: str | Path, frames: Mapping[str, SplitPredictions]) -> None:
    """Write the predictions of each split by name, rows ascending by index, as Parquet.

    Columns: split, index, label, prediction, logit_0.., probability_0.. (float32).
    """
    tables = [_table(name, frame) for name, frame in frames.items()]
    pq.write_table(pa.concat_tables(tables), path)


def _table(name: str, frame: SplitPredictions) -> pa.Table:
    order = np.argsort(frame.indices, kind="stable")
    columns: dict[str, pa.Array] = {
        "split": _repeated(name, len(order)),
        "index": _column(frame.indices[order]),
        "label": _column(frame.labels[order]),
        "prediction": _column(frame.predictions[order]),
    }
    for prefix, values in (("logit", frame.logits), ("probability", frame.probabilities)):
        for c in range(values.shape[1]):
            columns[f"{prefix}_{c}"] = _column(values[order, c])
    return pa.Table.from_arrays(list(columns.values()), names=list(columns))


def _column(values: npt.NDArray[Number]) -> pa.Array:
    """The same as `pa.array`, which would import pandas to see whether `values` is of its kind."""
    values = np.ascontiguousarray(values)
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])


def _repeated(text: str, times: int) -> pa.Array:
    """The same as `pa.repeat`, which would import pandas too."""
    encoded = text.encode()
    ends = np.arange(times + 1, dtype=np.int32) * len(encoded)
    return pa.StringArray.from_buffers(times, pa.py_buffer(ends), pa.py_buffer(encoded * times))


def read_predictions(path: str | Path) -> dict[str, SplitPredictions]:
    """Read what `write_predictions` wrote: the predictions of each split by name."""
    table = pq.read_table(path)
    splits = np.array(table.column("split").to_pylist())
    names = [name for name in table.column_names if name.startswith("logit_")]
    logits = np.stack([table.column(name).to_numpy() for name in names], axis=1)
    return {
        str(name): SplitPredictions(
            indices=table.column("index").to_numpy()[splits == name],
            labels=table.column("label").to_numpy()[splits == name],
            logits=logits[splits == name],
        )
        for name in dict.fromkeys(splits)
    }
