"""How many examples a task has and how long they are: from its tokens, or known beforehand."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from internal_kd.data.corpus import META, CorpusMeta
from internal_kd.data.encoding import load_tokens
from internal_kd.specs.agnostic import Corpus
from internal_kd.specs.config import Data
from internal_kd.specs.task_definitions import Part, TaskDefinition
from internal_kd.specs.tasks import SPLITS, TaskData
from internal_kd.study.files import data_files, files_below

FINGERPRINT_DATA = ("task_sizes.csv",)
SOME_CLASSES = 2  # where only the training data say how many
SOME_TASK = "mrpc"  # has lengths like those of tasks of which nothing is known
KNOWN = Path(__file__).parent / FINGERPRINT_DATA[0]


@dataclass(frozen=True)
class Texts:
    """Examples of a split, as far as their computation needs to be known.

    Attributes:
        rows: number of examples.
        tokens: sum of their lengths in tokens.
        squares: sum of their squared lengths; attention is quadratic.
    """

    rows: float = 0
    tokens: float = 0
    squares: float = 0

    def times(self, factor: float) -> "Texts":
        """So many times these examples, or such a share of them."""
        return Texts(self.rows * factor, self.tokens * factor, self.squares * factor)


@dataclass(frozen=True)
class TaskTexts:
    """The splits of a task, and how many classes it has."""

    classes: int
    train: Texts
    validation: Texts
    test: Texts = Texts()


def task_texts(
    data: Data, task: TaskData, tokens: Path, definition: TaskDefinition | None = None
) -> TaskTexts:
    """The texts of a task.

    Args:
        data: section of the config.
        task: what its examples are like.
        tokens: file of its tokens; where it is not there, sizes and lengths known beforehand
            count.
        definition: of a task of a user's own.
    """
    if tokens.is_file():
        splits, meta = load_tokens(tokens)
        found = {name: _texts(split.lengths) for name, split in splits.items()}
        return TaskTexts(len(meta.labels), **found)
    if definition is None:
        found = _known(data, task.name, _rows_of_files(data, task.name))
    else:
        found = _known(data, task.name, rows_of_own(definition), like=SOME_TASK)
    return TaskTexts(len(task.classes) or SOME_CLASSES, **found)


def pretraining_text(examples: int) -> Texts:
    """So many examples of the corpus that the embedded base model is made from."""
    lengths = _lengths(_row("embedded", "pretraining"))
    return _texts(lengths).times(examples / len(lengths))


def corpus_texts(corpus: Corpus, tokens: Path) -> Texts:
    """The sequences of unlabelled text.

    Args:
        corpus: section of the config.
        tokens: folder of its tokens; where it is not there, generated text has the lengths known
            beforehand, and all other text counts as one sequence of full length.
    """
    if (tokens / META).is_file():
        meta = msgspec.json.decode((tokens / META).read_bytes(), type=CorpusMeta)
        return Texts(meta.sequences, meta.tokens, meta.squares)
    if corpus.source == "embedded" and not corpus.pack:
        return pretraining_text(corpus.examples)
    return Texts(1, corpus.max_length, corpus.max_length**2)


def _known(
    data: Data, task: str, rows: Mapping[str, int], like: str | None = None
) -> dict[str, Texts]:
    """Texts as long as those of this task, or of one like it; so many rows, where known."""
    embedded = data.source == "embedded" and like is None
    row = _row("embedded" if embedded else "glue", like or task)
    lengths = np.minimum(_lengths(row), data.max_length)
    rows = rows or {split: int(row[split]) for split in SPLITS}
    limits = data.limit_of(task) or {}
    return {
        split: _texts(lengths).times(min(count, limits.get(split, count)) / len(lengths))
        for split, count in rows.items()
    }


def _row(source: str, task: str) -> dict[str, str]:
    with open(KNOWN, encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return next(row for row in rows if (row["source"], row["task"]) == (source, task))


def _lengths(row: Mapping[str, str]) -> npt.NDArray[np.int64]:
    """Evenly spaced quantiles of the lengths, which stand for all."""
    return np.array(row["lengths"].split(), dtype=np.int64)


def _rows_of_files(data: Data, task: str) -> dict[str, int]:
    """Rows by split of Parquet files in a folder; empty if any cannot be read."""
    rows = dict.fromkeys(SPLITS, 0)
    for file in map(Path, data_files(data, task)):
        split = next(split for split in SPLITS if file.name.startswith(split))
        try:
            rows[split] += pq.read_metadata(file).num_rows
        except (OSError, pa.ArrowInvalid):
            return {}
    return rows if any(rows.values()) else {}


def rows_of_own(definition: TaskDefinition) -> dict[str, int]:
    """Rows by split of a user's own files, about; empty if any cannot be counted."""
    files = definition.files
    try:
        rows = {
            split: sum(_rows_in(Path(file)) for file in files_below(path))
            for split, path in files.paths.items()
        }
    except (OSError, pa.ArrowInvalid):
        return {}
    if isinstance(files.validation, Part):
        rows["validation"] = round(rows["train"] * files.validation.share)
    return rows if rows["train"] else {}


def _rows_in(file: Path) -> int:
    """Rows of a Parquet file; lines of others, of which those of Arrow are not of rows."""
    if file.suffix == ".parquet":
        return int(pq.read_metadata(file).num_rows)
    if file.suffix in (".arrow", ".gz"):
        raise OSError(f"{file}: rows are not lines")
    with open(file, "rb") as lines:
        return sum(1 for _ in lines)


def _texts(lengths: npt.NDArray[np.int64]) -> Texts:
    return Texts(len(lengths), int(lengths.sum()), int((lengths.astype(np.int64) ** 2).sum()))
