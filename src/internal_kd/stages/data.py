"""Stage `data`: a task's splits, checked and tokenised once."""

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from transformers import AutoTokenizer

from internal_kd.data.encoding import TokensMeta, check_known, encode_split, save_tokens
from internal_kd.data.sources import Source, load_split_tables
from internal_kd.errors import UserError, as_user_error
from internal_kd.models.limits import limits_in
from internal_kd.stages.cli import run_stage
from internal_kd.tasks import Task, get_task


@dataclass(frozen=True, kw_only=True)
class TaskData(Source):
    """The settings of the stage: where the examples come from, of which task, and their length.

    Attributes:
        task: its name.
        max_length: tokens that an example may have.
    """

    task: str
    max_length: int


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--base", type=Path, required=True, help="folder of the base model")
    parser.add_argument("--tokens", type=Path, required=True, help="file of tokens to write")
    parser.add_argument("--examples", type=Path, required=True, help="file of texts to write")


def main(args: Namespace) -> None:
    """Write tokens and texts; settings: a `TaskData`."""
    settings = msgspec.convert(args.settings, TaskData)
    task = get_task(settings.task)
    with as_user_error(args.base, "not the folder of a base model", "make it again"):
        limits = limits_in(args.base)
    _check_length(limits.positions, settings.max_length)
    source = f"data.path: {settings.path or settings.source}, {task.name}"
    with as_user_error(
        source, "cannot be read", f"give the data in the form of GLUE's {task.title}"
    ):
        tables = load_split_tables(settings, task)
    with as_user_error("base_model", "its tokenizer fails", "take both from one source"):
        tokenizer = AutoTokenizer.from_pretrained(str(args.base), trust_remote_code=False)
        splits = {
            name: encode_split(table, task, tokenizer, settings.max_length, limits.segments)
            for name, table in tables.items()
        }
    check_known(splits["train"], tokenizer.unk_token_id, task.name)
    meta = TokensMeta(
        task.name, task.labels, tokenizer.pad_token_id, settings.max_length, len(tokenizer)
    )
    save_tokens(args.tokens, splits, meta)
    pq.write_table(_examples(tables, task), args.examples)


def _check_length(positions: int | None, max_length: int) -> None:
    """Refuse texts that are longer than what the base model has positions for."""
    if positions is not None and positions < max_length:
        raise UserError(
            f"data.max_length: is {max_length}, but the base model has {positions} positions; "
            f"write at most {positions}"
        )


def _examples(tables: dict[str, pa.Table], task: Task) -> pa.Table:
    """All splits as one table: split, index (its row), idx (the data's own), texts, label."""
    parts = []
    for name, table in tables.items():
        index = pa.array(range(table.num_rows), pa.int64())
        columns = {"split": pa.array([name] * table.num_rows), "index": index}
        texts = {column: table.column(column) for column in task.text_columns}
        named = {"idx": table.column("idx"), **texts, "label": table.column("label")}
        parts.append(pa.table({**columns, **named}))
    return pa.concat_tables(parts)


if __name__ == "__main__":
    run_stage(
        "internal_kd.stages.data",
        add_arguments,
        main,
        inputs=("base",),
        outputs=("tokens", "examples"),
    )
