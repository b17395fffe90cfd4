"""Splits in parts: complete ones are one table, anything else is refused in the dry run already."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from internal_kd.data.sources import Source, load_split_tables
from internal_kd.errors import UserError
from internal_kd.specs.config import Data
from internal_kd.study.files import data_files, data_problems
from internal_kd.study.glue import GLUE

OLD, NEW = "train-{:05d}-of-00003-0a1b2c3d4e5f6071.parquet", "train-{:05d}-of-00003.parquet"


def write(file: Path, first: int, rows: int = 2) -> None:
    words = [f"w{row} x{row}" for row in range(first, first + rows)]
    table = pa.table({"sentence1": words, "sentence2": words, "label": [0, 1] * (rows // 2)})
    if file.suffix == ".parquet":
        pq.write_table(table, file)
        return
    with pa.ipc.new_file(file, table.schema) as out:
        out.write_table(table)


@pytest.fixture
def folder(tmp_path) -> Path:
    made = tmp_path / "glue/rte"
    made.mkdir(parents=True)
    write(made / "validation.parquet", 100)
    return made


def source(folder: Path) -> Data:
    return Data(
        source="folder", path=str(folder.parent), max_length=16, language_seed=0, limit=None
    )


@pytest.mark.parametrize("pattern", [OLD, NEW, NEW.replace("parquet", "arrow")])
def test_all_parts_are_one_table_in_their_order(folder, pattern):
    for part in (2, 0, 1):
        write(folder / pattern.format(part), 10 * part)
    assert not list(data_problems(source(folder), ["rte"]))
    found = load_split_tables(Source("folder", str(folder.parent)), GLUE["rte"])["train"]
    expected = [f"w{row} x{row}" for row in (0, 1, 10, 11, 20, 21)]
    assert found["sentence1"].to_pylist() == expected
    assert len(data_files(source(folder), "rte")) == 4


INCOMPLETE = {
    "the second of three": ([NEW.format(0), NEW.format(2)], "train-00001-of-00003.parquet"),
    "the first": ([NEW.format(1), NEW.format(2)], "train-00000-of-00003.parquet"),
    "the last two": ([NEW.format(0)], "train-00001-of-00003.parquet"),
    "one of an older download": ([OLD.format(0), OLD.format(1)], "train-00002-of-00003.parquet"),
    "a number beyond": ([NEW.format(n) for n in (3, 0, 1, 2)], "00003-of-00003"),
    "another count": (
        [NEW.format(0), "train-00001-of-00002.parquet"],
        "parts of different downloads",
    ),
    "two downloads": (
        [NEW.format(n) for n in range(3)] + ["train-00000-of-00001.parquet"],
        "parts of different downloads",
    ),
    "old and new parts": (
        [NEW.format(n) for n in range(3)] + [OLD.format(n) for n in range(3)],
        "parts of different downloads",
    ),
    "whole and parts": (
        ["train.parquet", *(NEW.format(n) for n in range(3))],
        "parts of different downloads",
    ),
    "two forms": (["train.parquet", "train.arrow"], "parts of different downloads"),
    "parts in two forms": (
        [NEW.format(0), NEW.format(1).replace("parquet", "arrow"), NEW.format(2), "train.arrow"],
        "parts of different downloads",
    ),
    "no number": (["train-some-of-them.parquet"], "is not part of a split"),
}


@pytest.mark.parametrize("kind", INCOMPLETE)
def test_incomplete_parts_are_rejected_before_anything_runs(folder, kind):
    names, reason = INCOMPLETE[kind]
    for number, name in enumerate(names):
        write(folder / name, 10 * number)
    (problem,) = data_problems(source(folder), ["rte"])
    assert "config: data.path: " in str(problem)
    assert reason in str(problem)
    with pytest.raises(UserError, match=r"data\.path"):
        load_split_tables(Source("folder", str(folder.parent)), GLUE["rte"])


def test_parts_of_the_optional_test_split_are_checked_too(folder):
    write(folder / "train.parquet", 0)
    write(folder / "test-00001-of-00002.parquet", 50)
    (problem,) = data_problems(source(folder), ["rte"])
    assert "test-00000-of-00002.parquet' is missing (only 1 of 2 parts exist)" in str(problem)
