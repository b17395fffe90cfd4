import re
import subprocess
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from internal_kd.data.sources import Source, limited, load_split_tables
from internal_kd.errors import UserError

SPLITS = ("train", "validation", "test")


@pytest.fixture
def folder(tmp_path, rte_table):
    """A folder with RTE's three splits; other texts in each, so that nothing overlaps."""
    (tmp_path / "rte").mkdir()
    for split in SPLITS:
        texts = [f"{text} in {split}" for text in rte_table.column("sentence1").to_pylist()]
        table = rte_table.set_column(0, "sentence1", pa.array(texts))
        pq.write_table(table, tmp_path / "rte" / f"{split}.parquet")
    return tmp_path


def load(folder, task, source="folder", **more):
    return load_split_tables(Source(source, str(folder), **more), task)


def test_folder_of_parquet(folder, rte):
    tables = load(folder, rte)
    assert list(tables) == list(SPLITS)
    assert all(table.num_rows == 3 for table in tables.values())
    assert tables["test"].column("sentence1")[0].as_py().endswith("in test")


def test_test_split_may_be_absent(folder, rte):
    (folder / "rte" / "test.parquet").unlink()
    assert list(load(folder, rte)) == ["train", "validation"]


@pytest.mark.parametrize("open_writer", [pa.ipc.new_file, pa.ipc.new_stream])
def test_arrow_files_and_streams(folder, rte, open_writer):
    file = folder / "rte" / "train.parquet"
    table = pq.read_table(file)
    file.unlink()
    with open_writer(str(folder / "rte" / "train.arrow"), table.schema) as writer:
        writer.write_table(table)
    assert load(folder, rte)["train"].column("idx").to_pylist() == [7, 8, 9]


def test_shards_as_the_hub_names_them(folder, rte):
    file = folder / "rte" / "train.parquet"
    table = pq.read_table(file)
    file.unlink()
    for i, rows in enumerate((table.slice(0, 2), table.slice(2))):
        pq.write_table(rows, folder / "rte" / f"train-0000{i}-of-00002.parquet")
    assert load(folder, rte)["train"].column("idx").to_pylist() == [7, 8, 9]


@pytest.mark.parametrize("split", ["train", "validation"])
def test_missing_file_is_named(folder, rte, split):
    (folder / "rte" / f"{split}.parquet").unlink()
    with pytest.raises(UserError, match=rf"rte/{split}\.parquet \(or \.arrow\) does not exist"):
        load(folder, rte)


def test_missing_folder_is_named(tmp_path, rte):
    with pytest.raises(UserError, match=r"nowhere/rte/train.parquet .* change data.path"):
        load(tmp_path / "nowhere", rte)


def test_unreadable_file_is_named(folder, rte):
    (folder / "rte" / "train.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(UserError, match=r"train\.parquet: not a readable parquet file"):
        load(folder, rte)


def test_folder_needs_a_path(rte):
    with pytest.raises(UserError, match=r"data\.path is missing"):
        load_split_tables(Source("folder"), rte)


def test_unknown_source(rte):
    expected = "data.source is 'web'; it must be embedded, folder or hub"
    with pytest.raises(UserError, match=re.escape(expected)):
        load_split_tables(Source("web"), rte)


def test_limit_caps_rows_by_split(folder, rte):
    tables = load(folder, rte, limit={"train": 2, "validation": 10})
    assert {name: table.num_rows for name, table in tables.items()} == {
        "train": 2,
        "validation": 3,
        "test": 3,
    }


def test_limited_rows_are_nested_and_keep_their_order():
    table = pa.table({"idx": list(range(100))})
    small, large = (limited(table, n).column("idx").to_pylist() for n in (10, 40))
    assert set(small) < set(large)
    assert small == sorted(small)
    assert small != list(range(10))
    assert limited(table, None) is table


@pytest.fixture
def local_hub(folder, monkeypatch, tmp_path_factory):
    """The folder as a data set that `datasets.load_dataset` can load by its path."""
    files = "".join(f"  - split: {s}\n    path: rte/{s}.parquet\n" for s in SPLITS)
    card = f"---\nconfigs:\n- config_name: rte\n  data_files:\n{files}---\n"
    (folder / "README.md").write_text(card)
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path_factory.mktemp("cache"))
    return folder


def test_hub_source_loads_a_data_set(local_hub, rte):
    tables = load(local_hub, rte, source="hub", revision=None)
    expected = load(local_hub, rte)
    assert list(tables) == list(SPLITS)
    assert all(tables[split].equals(expected[split]) for split in SPLITS)


def test_hub_data_set_without_the_task(local_hub):
    from internal_kd.study.glue import GLUE

    with pytest.raises(
        UserError, match=r"data\.path: cannot load cola from .*Available: \['rte'\]"
    ):
        load(local_hub, GLUE["cola"], source="hub")


OFFLINE = """
from internal_kd.data.sources import Source, load_split_tables
from internal_kd.errors import UserError
from internal_kd.study.glue import GLUE
try:
    load_split_tables(Source("hub"), GLUE["rte"])
except UserError as error:
    print(error)
"""


@pytest.mark.parametrize("how", [{"HF_HUB_OFFLINE": "1"}, {"HF_ENDPOINT": "http://127.0.0.1:9"}])
def test_unreachable_hub_is_one_sentence_and_quick(how, tmp_path):
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE],
        env={"HF_HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path), **how},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count("\n") == 1
    assert done.stdout.startswith("data.source: hub: cannot reach nyu-mll/glue and rte is not in")
    assert "HF_HOME" in done.stdout
    assert "data.source: folder" in done.stdout
    assert time.monotonic() - start < 20  # the hub library alone would retry for 23 seconds
