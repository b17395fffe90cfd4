"""Tasks of a user's own: their files as tables in the plain form of `checks.validate_table`.

What is dropped or changed on the way is counted and said.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq

from internal_kd.data.checks import UNLABELLED, column_of, text_of
from internal_kd.data.encoding import nested_stratified
from internal_kd.data.label_values import LabelTexts, label_numbers, label_texts, sorted_labels
from internal_kd.data.parts import form_of
from internal_kd.data.sources import Found, read_arrow
from internal_kd.errors import UserError, as_user_error
from internal_kd.specs.task_definitions import Part, TableFormat, TaskFiles
from internal_kd.specs.tasks import TaskData

TRAIN, TEST = "train", "test"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class OwnFiles:
    """Where the examples of a task of a user's own are, and how they are written.

    Attributes:
        files: by split.
        label: column of the labels.
        format: of files of text.
    """

    files: TaskFiles
    label: str
    format: TableFormat


@dataclass(frozen=True)
class OwnTables:
    """What was read.

    Attributes:
        tables: by split, each with the name of its file or folder; columns idx (its row), texts and
            label (-1: unlabelled).
        spec: of the task, with its labels.
        changes: sentences on what was dropped or changed.
    """

    tables: Found
    spec: TaskData
    changes: tuple[str, ...]


def read_own(own: OwnFiles, task: TaskData) -> OwnTables:
    """The splits of a task of a user's own.

    Raises:
        UserError: a file cannot be read, a column is missing, or labels are not those of the task.
    """
    paths, changes = own.files.paths, list[str]()
    raw = {split: _read(Path(path), split, own, task) for split, path in paths.items()}
    texts = {split: _with_texts(raw[split], task, paths[split], changes) for split in raw}
    labels: dict[str, LabelTexts] = {
        split: label_texts(table, own.label, paths[split])
        for split, table in texts.items()
        if own.label in table.column_names
    }
    spec = replace(task, labels=task.labels or sorted_labels(labels[TRAIN]))
    numbers = label_numbers(labels, spec, paths, changes)
    tables = {
        split: _labelled(texts[split], numbers.get(split), split, paths[split], changes)
        for split in texts
    }
    found = {split: (table, paths[split]) for split, table in tables.items()}
    if isinstance(own.files.validation, Part):
        parts = _parted(tables[TRAIN], own.files.validation.share, task.name)
        found |= {split: (part, paths[TRAIN]) for split, part in parts.items()}
    for change in changes:
        log.warning("%s: %s", task.name, change)
    order = [split for split in (TRAIN, "validation", TEST) if split in found]
    return OwnTables({split: found[split] for split in order}, spec, tuple(changes))


def _read(path: Path, split: str, own: OwnFiles, task: TaskData) -> pa.Table:
    """The columns of texts and, where they are there, of labels; with the number of each row."""
    with as_user_error(path, "cannot be read as a table", "correct it, or format of the task"):
        table = _read_folder(path, split) if path.is_dir() else _read_file(path, own, task)
    if table.num_rows == 0:
        raise UserError(f"{path}: the {split} split is empty; put at least one row into it")
    unlabelled = own.label not in table.column_names and split == TEST
    names = [*task.text_columns, *([] if unlabelled else [own.label])]
    for name in names:
        column_of(table, name, str(path))
    rows = pa.array(np.arange(table.num_rows))
    return table.select(names).append_column("idx", rows)


def _read_file(path: Path, own: OwnFiles, task: TaskData) -> pa.Table:
    form = form_of(path)
    if form == "json":
        return pyarrow.json.read_json(path)
    if form == "parquet":
        return pq.read_table(path)
    if form == "arrow":
        return read_arrow(path)
    comma = path.name.lower().removesuffix(".gz").endswith(".csv")
    quoted = own.format.quoting == "double"
    # Texts stay what they are: 01 is not 1, and NA is a word.
    columns = dict.fromkeys((*task.text_columns, own.label), pa.string())
    return pyarrow.csv.read_csv(
        path,
        pyarrow.csv.ReadOptions(column_names=own.format.header),
        pyarrow.csv.ParseOptions(
            delimiter=own.format.delimiter or ("," if comma else "\t"),
            quote_char='"' if quoted else False,
            newlines_in_values=quoted,
        ),
        pyarrow.csv.ConvertOptions(column_types=columns, strings_can_be_null=False),
    )


def _read_folder(folder: Path, split: str) -> pa.Table:
    """A folder of parts, or one that `save_to_disk` of `datasets` wrote."""
    if not any((folder / name).is_file() for name in ("dataset_dict.json", "state.json")):
        parts = sorted(file for file in folder.iterdir() if form_of(file) in ("parquet", "arrow"))
        tables = [read_arrow(f) if f.suffix == ".arrow" else pq.read_table(f) for f in parts]
        return pa.concat_tables(tables)
    from datasets import DatasetDict, load_from_disk

    found = load_from_disk(str(folder))
    if isinstance(found, DatasetDict):
        if split not in found:
            raise UserError(f"{folder}: has no {split} split, but {', '.join(found)}; name one")
        found = found[split]
    return found.with_format("arrow")[:]  # selections of rows are not in the table itself


def _with_texts(table: pa.Table, task: TaskData, where: str, changes: list[str]) -> pa.Table:
    """The rows that have a first text; a second one may be empty."""
    for name in task.text_columns:
        text = pc.fill_null(text_of(table, name, where), "")
        table = table.set_column(table.column_names.index(name), name, text)
    first = table.column(task.text_columns[0])
    kept = pc.not_equal(pc.utf8_trim_whitespace(first), "")
    return _dropped(table, kept, f"no text in column '{task.text_columns[0]}'", where, changes)


def _dropped(
    table: pa.Table, kept: pa.ChunkedArray, why: str, where: str, changes: list[str]
) -> pa.Table:
    rows = table.filter(kept)
    gone = table.num_rows - rows.num_rows
    if gone:
        changes.append(f"{where}: {gone} of {table.num_rows} rows are dropped: {why}")
    if rows.num_rows == 0:
        raise UserError(f"{where}: no row is left: {why}; fill the column")
    return rows


def _labelled(
    table: pa.Table, numbers: list[int] | None, split: str, where: str, changes: list[str]
) -> pa.Table:
    """The rows that have a label, in the plain form; of a test split all or none must have one."""
    labels = pa.array(numbers or [UNLABELLED] * table.num_rows, pa.int64())
    names = [name for name in table.column_names if name != "idx"]
    names = names[: len(names) - (numbers is not None)]
    plain = pa.table({"idx": table["idx"], **{n: table[n] for n in names}, "label": labels})
    kept = pc.not_equal(labels, UNLABELLED)
    if split == TEST:
        if 0 < pc.sum(kept).as_py() < len(labels):
            raise UserError(f"{where}: only some rows are labelled; label all of test or none")
        return plain
    return _dropped(plain, kept, "no label", where, changes)


def _parted(train: pa.Table, share: float, task: str) -> Mapping[str, pa.Table]:
    """The training rows in two: the same share of every class is the development split."""
    labels = train.column("label").to_numpy().astype(np.int64)
    classes, counts = np.unique(labels, return_counts=True)
    several = np.flatnonzero(np.isin(labels, classes[counts > 1]))  # one row is for training
    if not len(several):
        raise UserError(
            f"task_definitions.{task}.files.validation: no class has two rows; name a file"
        )
    seed = crc32(f"development split of {task}".encode())
    chosen = several[nested_stratified(labels[several], 100 * share, seed)]
    rest = np.setdiff1d(np.arange(len(labels)), chosen)
    return {"train": train.take(rest), "validation": train.take(chosen)}
