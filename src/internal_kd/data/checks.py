"""What must hold of a task's tables before anything is trained on them."""

import json
import logging
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

import pyarrow as pa
import pyarrow.compute as pc

from internal_kd.errors import UserError
from internal_kd.specs.tasks import TaskData

UNLABELLED = -1

log = logging.getLogger(__name__)


def validate_table(table: pa.Table, task: TaskData, split: str, where: str) -> pa.Table:
    """The table of one split in its plain form: idx (int64), text columns (string), label (int64).

    A missing `idx` is filled with the row numbers; a test split without labels gets -1.

    Args:
        table: rows in GLUE's column names.
        task: what the columns and labels should be.
        split: train, validation or test; only test may be unlabelled.
        where: file or data set named in messages.

    Raises:
        UserError: empty split, missing or mistyped column, empty text, label outside the range,
            labels in another order than the task's, unlabelled rows, text that is not UTF-8.
    """
    if table.num_rows == 0:
        raise UserError(f"{where}: the {split} split is empty; put at least one row into it")
    texts = {name: _text(table, name, where) for name in task.text_columns}
    _check_label_names(table, task, where)
    labels = _labels(table, task, split, where)
    return pa.table({"idx": _idx(table, where), **texts, "label": labels})


def text_of(table: pa.Table, name: str, where: str) -> pa.ChunkedArray:
    """A column of texts, some of which may be missing.

    Raises:
        UserError: it is not there, holds no strings, or some that are not UTF-8.
    """
    column = column_of(table, name, where)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        raise UserError(f"{where}: column '{name}' is {column.type}; it must hold strings")
    _check_utf8(column, name, where)
    return column.cast(pa.string())


def _text(table: pa.Table, name: str, where: str) -> pa.ChunkedArray:
    column = text_of(table, name, where)
    blank = pc.equal(pc.utf8_trim_whitespace(pc.fill_null(column, "")), "")
    row = pc.index(blank, True).as_py()
    if row >= 0:
        raise UserError(
            f"{where}: column '{name}' is empty in row {row}; remove the row or fill it"
        )
    return column


def _check_utf8(column: pa.ChunkedArray, name: str, where: str) -> None:
    """Arrow reads texts without checking that they are text."""
    try:
        column.validate(full=True)
    except pa.ArrowInvalid as error:
        row = next(row for row, text in enumerate(column) if not _is_utf8(text))
        raise UserError(
            f"{where}: column '{name}' is not UTF-8 in row {row}; write the file in UTF-8"
        ) from error


def _is_utf8(text: pa.StringScalar) -> bool:
    try:
        text.as_py()
    except UnicodeDecodeError:
        return False
    return True


def column_of(table: pa.Table, name: str, where: str) -> pa.ChunkedArray:
    """A column; raises `UserError` with the nearest name where it is missing."""
    found = table.column_names
    if name in found:
        return table.column(name)
    close = get_close_matches(name, found, n=1)
    hint = f"rename '{close[0]}' to it" if close else f"the columns are {', '.join(found)}"
    raise UserError(f"{where}: column '{name}' is missing; {hint}")


def _check_label_names(table: pa.Table, task: TaskData, where: str) -> None:
    names = _class_names(table.schema.metadata or {})
    if names and tuple(names) != task.classes:
        raise UserError(
            f"{where}: its labels are {', '.join(names)} in this order, {task.name} needs "
            f"{', '.join(task.classes)}; renumber the labels or remove their names"
        )


def _class_names(metadata: Mapping[bytes, bytes]) -> Sequence[str] | None:
    """Class names that the `datasets` library stored with the column `label`, if any."""
    try:
        names: Sequence[str] = json.loads(metadata[b"huggingface"])["info"]["features"]["label"][
            "names"
        ]
    except (KeyError, TypeError, ValueError):
        return None
    return names


def _labels(table: pa.Table, task: TaskData, split: str, where: str) -> pa.ChunkedArray:
    if split == "test" and "label" not in table.column_names:
        return pa.chunked_array([pa.repeat(pa.scalar(UNLABELLED, pa.int64()), table.num_rows)])
    column = column_of(table, "label", where)
    if not pa.types.is_integer(column.type):
        numbers = ", ".join(f"{i} = {name}" for i, name in enumerate(task.classes))
        raise UserError(
            f"{where}: column 'label' is {column.type}; it must hold integers: {numbers}"
        )
    labels = pc.fill_null(column.cast(pa.int64()), UNLABELLED)
    _check_labels(labels, task, split, where)
    return labels


def _check_labels(labels: pa.ChunkedArray, task: TaskData, split: str, where: str) -> None:
    low, high = (pc.min_max(labels)[key].as_py() for key in ("min", "max"))
    if low < UNLABELLED or high >= len(task.classes):
        wrong = high if high >= len(task.classes) else low
        raise UserError(
            f"{where}: label {wrong} is outside the range 0 to {len(task.classes) - 1}; "
            f"{task.name} has the labels {', '.join(task.classes)}"
        )
    if low == UNLABELLED and split != "test":
        row = pc.index(labels, UNLABELLED).as_py()
        raise UserError(
            f"{where}: row {row} is unlabelled (-1); the {split} split needs all labels"
        )
    if low == UNLABELLED and high != UNLABELLED:
        raise UserError(f"{where}: only some rows are labelled; label all of {split} or none")


def check_classes(train: pa.Table, task: TaskData, where: str) -> None:
    """Refuse a train split, cut to its limit, from which nothing can be learnt.

    Raises:
        UserError: all rows have the same label.
    """
    found = pc.unique(train.column("label")).to_pylist()
    if len(found) == 1:
        raise UserError(
            f"{where}: all {train.num_rows} training rows have the label {found[0]} "
            f"({task.classes[found[0]]}); add rows of another class, or raise data.limit"
        )


def _idx(table: pa.Table, where: str) -> pa.ChunkedArray:
    if "idx" not in table.column_names:
        return pa.chunked_array([pa.array(range(table.num_rows), pa.int64())])
    column = table.column("idx")
    if not pa.types.is_integer(column.type):
        raise UserError(f"{where}: column 'idx' is {column.type}; it must hold integers")
    return column.cast(pa.int64())


def warn_of_overlap(tables: Mapping[str, pa.Table], task: TaskData) -> dict[str, int]:
    """Count rows of validation and test whose text is also in train, and log them as a warning."""
    seen = set(_texts_of(tables["train"], task))
    counts = {
        split: sum(text in seen for text in _texts_of(table, task))
        for split, table in tables.items()
        if split != "train"
    }
    for split, count in counts.items():
        if count:
            rows = tables[split].num_rows
            log.warning("%s: %d of %d %s rows are also in train", task.name, count, rows, split)
    return counts


def _texts_of(table: pa.Table, task: TaskData) -> list[tuple[str, ...]]:
    return list(zip(*(table.column(name).to_pylist() for name in task.text_columns), strict=True))
