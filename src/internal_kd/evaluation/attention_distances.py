"""The file of distances between a student and its teacher: one row per example and layer."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from internal_kd.errors import as_user_error
from internal_kd.specs.runs import Run

if TYPE_CHECKING:
    import pandas as pd

RUN_COLUMNS = tuple(field.name for field in fields(Run))
MEASURES = ("attention_kl", "cosine_distance")
COLUMNS = (*RUN_COLUMNS, "index", "layer", "teacher_layer", *MEASURES)
TEXTS = ("task", "experiment")
SCHEMA = pa.schema(
    [
        (name, pa.string() if name in TEXTS else pa.float32() if name in MEASURES else pa.int32())
        for name in COLUMNS
    ]
)


@dataclass(frozen=True)
class LayerDistances:
    """How far the layers of a student are from those of its teacher on n examples.

    Attributes:
        indices: int64 [n], row numbers in the split.
        teacher_layers: one-based teacher layer of each student layer.
        attention_kl: float32 [n, student layers], nats, Equation 2.
        cosine_distance: float32 [n, student layers], 0 to 2, Equation 3.
    """

    indices: npt.NDArray[np.int64]
    teacher_layers: tuple[int, ...]
    attention_kl: npt.NDArray[np.float32]
    cosine_distance: npt.NDArray[np.float32]


def write_distances(path: str | Path, run: Run, distances: LayerDistances) -> None:
    """Write the distances of one student as Parquet, rows ascending by index and layer.

    Args:
        path: of the file.
        run: of the student.
        distances: of its layers; column `layer` counts them from 1.
    """
    order = np.argsort(distances.indices, kind="stable")
    layers = len(distances.teacher_layers)
    rows = len(order) * layers
    columns: dict[str, object] = {name: [value] * rows for name, value in asdict(run).items()}
    columns["index"] = np.repeat(distances.indices[order], layers)
    columns["layer"] = np.tile(np.arange(1, layers + 1), len(order))
    columns["teacher_layer"] = np.tile(np.array(distances.teacher_layers), len(order))
    for name in MEASURES:
        columns[name] = getattr(distances, name)[order].ravel()
    pq.write_table(pa.table([pa.array(columns[f.name], f.type) for f in SCHEMA], SCHEMA), path)


def read_distances(paths: Iterable[str | Path]) -> "pd.DataFrame":
    """The rows of several files that `write_distances` wrote, with the columns `COLUMNS`.

    Raises:
        UserError: a file is absent or none of distances.
    """
    return pa.concat_tables([_read(path) for path in paths]).to_pandas()


def _read(path: str | Path) -> pa.Table:
    with as_user_error(path, "not a file of distances from a teacher", "make it again"):
        return pq.read_table(path, columns=list(COLUMNS)).select(COLUMNS)
