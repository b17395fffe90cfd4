"""Where the rows of a task come from: the hub, a local folder, or the embedded study."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from internal_kd.data.checks import check_classes, validate_table, warn_of_overlap
from internal_kd.data.parts import files_of_split
from internal_kd.errors import UserError, as_user_error, reason
from internal_kd.hub import go_offline_if_unreachable
from internal_kd.specs.tasks import SPLITS, TaskData

# train-00000-of-00002.parquet; older downloads have a hash behind the numbers.


GLUE_ON_THE_HUB = "nyu-mll/glue"
REQUIRED_SPLITS = ("train", "validation")
LIMIT_SEED = 0
IDX = "idx"  # the column with the numbers of rows

Rows = npt.NDArray[np.int64]
Found = dict[str, tuple[pa.Table, str]]
Tables = dict[str, pa.Table]


@dataclass(frozen=True)
class Source:
    """Where the examples of a task come from.

    Attributes:
        source: hub, folder or embedded.
        path: an id on the hub, or a folder.
        revision: on the hub.
        language_seed: of the embedded language.
        limit: rows at most, by split.
    """

    source: str
    path: str | None = None
    revision: str | None = None
    language_seed: int = 0
    limit: Mapping[str, int | None] | None = None


def load_split_tables(settings: Source, task: TaskData) -> dict[str, pa.Table]:
    """The validated tables of a task by split; test is absent where the source has none.

    Args:
        settings: where they come from.
        task: its columns and labels.

    Returns:
        split -> table with the columns idx, the task's text columns, and label (-1: unlabelled).

    Raises:
        UserError: the source cannot be read, or its data do not fit the task.
    """
    found = {
        split: (validate_table(table, task, split, where), where)
        for split, (table, where) in _find(settings, task).items()
    }
    return within_limits(found, task, settings.limit or {})


def within_limits(found: Found, task: TaskData, limit: Mapping[str, int | None]) -> Tables:
    """Validated tables by split, cut to their limits.

    Raises:
        UserError: all training rows that are left have the same label.
    """
    tables = {split: table for split, (table, _) in found.items()}
    warn_of_overlap(tables, task)
    kept = {split: limited(table, limit.get(split)) for split, table in tables.items()}
    check_classes(kept["train"], task, found["train"][1])
    return kept


def _find(settings: Source, task: TaskData) -> Found:
    source, path = settings.source, settings.path
    if source == "embedded":
        return _from_embedded(task, settings.language_seed)
    if source == "folder":
        if path is None:
            raise UserError("data.path is missing; name the folder that holds {task}/train.parquet")
        return _from_folder(Path(path), task, settings.limit or {})
    if source == "hub":
        return _from_hub(path or GLUE_ON_THE_HUB, settings.revision, task)
    raise UserError(f"data.source is '{source}'; it must be embedded, folder or hub")


def limited(table: pa.Table, rows: int | None) -> pa.Table:
    """At most `rows` rows in their order, chosen by a fixed shuffle; fewer are part of more."""
    chosen = None if rows is None else chosen_rows(table.num_rows, rows)
    return table if chosen is None else table.take(chosen)


def chosen_rows(rows: int, limit: int) -> Rows | None:
    """Numbers of the rows within a limit, ascending; None for all."""
    if limit >= rows:
        return None
    shuffled = np.random.default_rng(LIMIT_SEED).permutation(rows)
    return np.sort(shuffled[:limit])


def _from_embedded(task: TaskData, seed: int) -> Found:
    from internal_kd.embedded.tasks import generate

    tables = generate(task.name, seed)
    return {split: (table, f"embedded {task.name} {split}") for split, table in tables.items()}


def _from_folder(folder: Path, task: TaskData, limit: Mapping[str, int | None]) -> Found:
    files = {split: _files_of(folder / task.name, split) for split in SPLITS}
    for split in REQUIRED_SPLITS:
        if not files[split]:
            raise UserError(
                f"{folder / task.name / split}.parquet (or .arrow) does not exist; "
                f"put the {split} split there or change data.path"
            )
    return {
        split: (_joined(found, limit.get(split)), str(found[0]))
        for split, found in files.items()
        if found
    }


def _files_of(folder: Path, split: str) -> list[Path]:
    found = files_of_split(folder, split)
    if found.fault is not None:
        raise UserError(f"data.path: {found.fault}")
    return found.files


def _joined(files: list[Path], limit: int | None) -> pa.Table:
    """The rows of all files within the limit, with their numbers as `idx` if there is none."""
    sizes = [] if limit is None else list(map(_rows_in, files))
    chosen = None if limit is None else chosen_rows(sum(sizes), limit)
    if chosen is None:
        return _concatenated(files, [_read(file, None) for file in files])
    starts = np.cumsum([0, *sizes[:-1]])
    parts = np.split(chosen, np.searchsorted(chosen, starts[1:]))
    numbered = zip(files, parts, starts, strict=True)
    table = _concatenated(files, [_read(file, part - start) for file, part, start in numbered])
    if IDX in table.column_names:
        return table
    return table.append_column(IDX, pa.array(chosen))


def _concatenated(files: list[Path], tables: list[pa.Table]) -> pa.Table:
    for file, table in zip(files, tables, strict=True):
        if not table.schema.equals(tables[0].schema):
            raise UserError(
                f"{file}: its columns or their types are not those of {files[0]}; "
                "write all parts of a split with the same columns"
            )
    return pa.concat_tables(tables)


def _read(file: Path, rows: Rows | None) -> pa.Table:
    with as_user_error(file, f"not a readable {file.suffix[1:]} file", "write it again"):
        if file.suffix == ".arrow":
            table = read_arrow(file)
            return table if rows is None else table.take(rows)
        return pq.read_table(file) if rows is None else _read_rows(file, rows)


def _read_rows(file: Path, rows: Rows) -> pa.Table:
    """Some rows of a Parquet file, which may be larger than the memory."""
    found, start, pieces = pq.ParquetFile(file), 0, []
    for batch in found.iter_batches():
        inside = rows[(rows >= start) & (rows < start + batch.num_rows)] - start
        pieces.append(batch.take(pa.array(inside)))
        start += batch.num_rows
    return pa.Table.from_batches(pieces, schema=found.schema_arrow)


def _rows_in(file: Path) -> int:
    with as_user_error(file, f"not a readable {file.suffix[1:]} file", "write it again"):
        if file.suffix == ".parquet":
            return int(pq.read_metadata(file).num_rows)
        return int(read_arrow(file).num_rows)


def read_arrow(file: Path) -> pa.Table:
    """Read both forms of Arrow on disk: with a footer, and the stream that `datasets` writes."""
    with pa.memory_map(str(file)) as source:
        try:
            return pa.ipc.open_file(source).read_all()
        except pa.ArrowInvalid:
            source.seek(0)
            return pa.ipc.open_stream(source).read_all()


def _from_hub(path: str, revision: str | None, task: TaskData) -> Found:
    import datasets

    if not Path(path).exists():
        go_offline_if_unreachable("dataset", path, revision)
    try:
        splits = datasets.load_dataset(path, task.name, revision=revision)
    except Exception as error:  # also whatever its HTTP client raises when a connection breaks
        raise UserError(_hub_message(path, task, error)) from error
    missing = [split for split in REQUIRED_SPLITS if split not in splits]
    if missing:
        raise UserError(f"{path}: {task.name} has no {missing[0]} split; choose another data.path")
    return {
        split: (splits[split].data.table, f"{path} {task.name} {split}")
        for split in SPLITS
        if split in splits
    }


def _hub_message(path: str, task: TaskData, error: Exception) -> str:
    cause = reason(error)
    if isinstance(error, ConnectionError):
        return (
            f"data.source: hub: cannot reach {path} and {task.name} is not in the local cache "
            f"({cause}); load it once on a machine with a network and share its HF_HOME, "
            "or use data.source: folder"
        )
    return (
        f"data.path: cannot load {task.name} from {path} ({cause}); name a data set in GLUE's form"
    )
