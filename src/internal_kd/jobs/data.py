"""Job `data`: a task's splits, checked and tokenised once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import pyarrow.parquet as pq
from transformers import AutoTokenizer

from internal_kd.data.encoding import TokensMeta, check_known, encode_split, save_tokens
from internal_kd.data.own_tasks import OwnFiles, read_own
from internal_kd.data.sources import Source, load_split_tables, within_limits
from internal_kd.errors import as_user_error
from internal_kd.jobs.cli import Job, recorded
from internal_kd.jobs.files import Reads, Writes
from internal_kd.models.limits import check_length, limits_in
from internal_kd.specs.tasks import TaskData


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files of the job."""

    base: Annotated[Path, Reads("folder of the base model")]
    tokens: Annotated[Path, Writes("file of tokens")]
    examples: Annotated[Path, Writes("file of texts")]


@dataclass(frozen=True, kw_only=True)
class Settings(Source):
    """Where the examples of a task come from, and how long they may be.

    Attributes:
        task: name of the task.
        spec: what its examples are like.
        max_length: tokens that an example may have.
        own: where the examples of a task of a user's own are; its other sources play no part.
    """

    task: str
    spec: TaskData
    max_length: int
    own: OwnFiles | None = None


def main(files: Files, settings: Settings) -> None:
    """Write tokens and texts."""
    with as_user_error(files.base, "not the folder of a base model", "make it again"):
        limits = limits_in(files.base)
    check_length("data.max_length", limits, settings.max_length)
    tables, task, changes = _tables(settings)
    with as_user_error("base_model", "its tokenizer fails", "take both from one source"):
        tokenizer = AutoTokenizer.from_pretrained(str(files.base), trust_remote_code=False)
        splits = {
            name: encode_split(table, task, tokenizer, settings.max_length, limits.segments)
            for name, table in tables.items()
        }
    check_known(splits["train"], tokenizer.unk_token_id, task.name)
    meta = TokensMeta(
        task.name,
        task.classes,
        tokenizer.pad_token_id,
        settings.max_length,
        len(tokenizer),
        changes,
    )
    save_tokens(files.tokens, splits, meta)
    pq.write_table(_examples(tables, task), files.examples)


def _tables(settings: Settings) -> tuple[dict[str, pa.Table], TaskData, tuple[str, ...]]:
    """The splits, the task with its labels, and what was dropped or changed."""
    task = settings.spec
    if settings.own is not None:
        found = read_own(settings.own, task)
        limit = settings.limit or {}
        return within_limits(found.tables, found.spec, limit), found.spec, found.changes
    source = f"data.path: {settings.path or settings.source}, {task.name}"
    with as_user_error(
        source, "cannot be read", f"give the data in the form of GLUE's {task.name}"
    ):
        return load_split_tables(settings, task), task, ()


def _examples(tables: dict[str, pa.Table], task: TaskData) -> pa.Table:
    """All splits as one table: split, index (its row), idx (the data's own), texts, label."""
    parts = []
    for name, table in tables.items():
        index = pa.array(range(table.num_rows), pa.int64())
        columns = {"split": pa.array([name] * table.num_rows), "index": index}
        texts = {column: table.column(column) for column in task.text_columns}
        named = {"idx": table.column("idx"), **texts, "label": table.column("label")}
        parts.append(pa.table({**columns, **named}))
    return pa.concat_tables(parts)


JOB = Job(Files, Settings, recorded(main))
