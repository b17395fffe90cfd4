"""Files of the user that a library chokes on: one sentence about the file, whatever it raises."""

import errno
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from transformers import PreTrainedModel

from internal_kd.data.sources import Source, limited, load_split_tables
from internal_kd.errors import Interrupted, UserError, as_user_error
from internal_kd.evaluation.attention_maps import load_maps
from internal_kd.jobs import attention, base, data, distill
from internal_kd.reporting.examples import read_examples
from internal_kd.specs.jobs import encode
from internal_kd.study.glue import GLUE
from tests.inputs.checkpoints import checkpoint, make_base, settings
from tests.inputs.test_weights import refused
from tests.jobs.tiny_study import TRAINING, experiment_settings, run_of

TEXTS = ["w1 w2", "w3 w4", "w5 w6", "w7 w8"]
COLUMNS = {"sentence1": TEXTS, "sentence2": TEXTS, "label": [0, 1, 0, 1]}
Spoil = Callable[[Path], object]


def write_data(folder: Path) -> Path:
    (folder / "rte").mkdir(parents=True)
    for split in ("train", "validation"):
        pq.write_table(pa.table(COLUMNS), folder / f"rte/{split}.parquet")
    return folder


def data_settings(folder: Path) -> dict:
    return {
        "task": "rte",
        "spec": encode(GLUE["rte"].data),
        "source": "folder",
        "path": str(folder),
        "max_length": 16,
        "limit": None,
    }


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return checkpoint(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def made(model, tmp_path_factory) -> Path:
    return make_base(model, tmp_path_factory.mktemp("made") / "base")


def refused_data(capsys, folder: Path, base_model: Path, out: Path) -> str:
    paths = {"base": base_model, "tokens": out / "tokens.npz", "examples": out / "examples"}
    return refused(capsys, data, data_settings(folder), **paths)


def text(content: str, encoding: str = "utf-8") -> Spoil:
    return lambda file: file.write_text(content, encoding=encoding)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def scrambled(file: Path) -> None:
    content = bytearray(file.read_bytes())
    for place in range(8, len(content) - 8, 7):
        content[place] ^= 0x55
    file.write_bytes(content)


def folder_instead(file: Path) -> None:
    file.unlink()
    file.mkdir()


def other_column(name: str, values: pa.Array) -> Spoil:
    def do(file: Path) -> None:
        table = pa.table(COLUMNS)
        place = table.column_names.index(name)
        pq.write_table(table.set_column(place, name, values), file)

    return do


STRANGE = {
    "lists": pa.array([["a"], ["b"], ["c"], ["d"]]),
    "structs": pa.array([{"a": 1}] * 4),
    "dates": pa.array([0, 1, 2, 3], pa.timestamp("ns")),
    "decimals": pa.array([Decimal("0.5")] * 4),
    "nothing": pa.nulls(4),
}


@pytest.mark.parametrize(
    "spoil",
    [cut, emptied, scrambled, text("label,sentence1\n0,a\n"), text("[]")],
    ids=["cut", "empty", "scrambled", "csv", "json"],
)
@pytest.mark.parametrize("split", ["train", "validation"])
def test_data_that_are_no_table(made, tmp_path, capsys, spoil, split):
    folder = write_data(tmp_path / "text")
    spoil(folder / f"rte/{split}.parquet")
    message = refused_data(capsys, folder, made, tmp_path)
    assert f"{split}.parquet" in message


@pytest.mark.parametrize("name", ["label", "sentence2"])
@pytest.mark.parametrize("kind", STRANGE)
def test_columns_of_a_strange_type(made, tmp_path, capsys, name, kind):
    folder = write_data(tmp_path / "text")
    other_column(name, STRANGE[kind])(folder / "rte/train.parquet")
    message = refused_data(capsys, folder, made, tmp_path)
    assert str(folder) in message
    assert name in message


@pytest.mark.parametrize(
    "spoil",
    [
        *(cut, emptied, scrambled, folder_instead),
        *(text("{}"), text("[]"), text("null"), text('{"model": {"type": "Magic"}}')),
        text('{"version": "1.0", "model": {"type": "WordPiece", "vocab": {"a": "b"}}}'),
        text("ä", "latin-1"),
    ],
    ids=lambda spoil: getattr(spoil, "__name__", "text"),
)
def test_tokenizers_that_cannot_be_read(model, tmp_path, capsys, spoil):
    source = shutil.copytree(model, tmp_path / "model")
    spoil(source / "tokenizer.json")
    message = refused(capsys, base, settings(source), out=tmp_path / "base")
    assert str(source) in message


@pytest.mark.parametrize(
    "content",
    [
        {"tokenizer_class": "LlamaTokenizer"},
        {"tokenizer_class": "XLNetTokenizer", "auto_map": {"AutoTokenizer": "x.Y"}},
        {"added_tokens_decoder": {"0": 3}},
        {"model_max_length": "long"},
        [],
    ],
    ids=["another class", "own code", "tokens", "length", "list"],
)
def test_settings_of_tokenizers_that_mislead(model, tmp_path, capsys, content):
    """What can be read is read as it was meant; anything else is one sentence."""
    source = shutil.copytree(model, tmp_path / "model")
    (source / "tokenizer.json").unlink()
    (source / "tokenizer_config.json").write_text(json.dumps(content))
    message = refused(capsys, base, settings(source), out=tmp_path / "base")
    assert "base_model" in message


@pytest.mark.parametrize("value", ["many", [4], {"a": 1}, -3, 0, 1.5, "1e3"])
@pytest.mark.parametrize("key", ["hidden_size", "num_attention_heads", "vocab_size"])
def test_configs_that_make_no_model(model, tmp_path, capsys, key, value):
    source = shutil.copytree(model, tmp_path / "model")
    content = json.loads((source / "config.json").read_text())
    (source / "config.json").write_text(json.dumps(content | {key: value}))
    message = refused(capsys, base, settings(source), out=tmp_path / "base")
    assert str(source) in message


def zipped(file: Path) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a/version", "3")


@pytest.mark.parametrize(
    "spoil",
    [cut, emptied, scrambled, zipped, lambda file: torch.save({"a": {1, 2}}, file)],
    ids=["cut", "empty", "scrambled", "zip", "set"],
)
def test_weights_in_pickles(model, tmp_path, capsys, spoil):
    source = shutil.copytree(model, tmp_path / "model")
    (source / "model.safetensors").unlink()
    file = source / "pytorch_model.bin"
    torch.save({"a": torch.zeros(3)}, file)
    spoil(file)
    message = refused(capsys, base, settings(source), out=tmp_path / "base")
    assert str(source) in message


@pytest.mark.parametrize("spoil", [cut, emptied, scrambled, folder_instead, zipped, text("{}")])
def test_tokens_of_the_workflow(made, tmp_path, capsys, spoil):
    file = tmp_path / "tokens.npz"
    np.savez(file, meta=np.array("{}"))
    spoil(file)
    chosen = {
        "run": run_of("exp1.1"),
        "experiment": experiment_settings("exp1.1"),
        "training": TRAINING,
        "distillation": {},
        "selection": {"split": "validation", "share": 0.1},
        "teacher_seed": 0,
    }
    message = refused(capsys, distill, chosen, init=made, data=file, out=tmp_path / "run")
    assert f"{file}: not a token file of this package" in message


@pytest.mark.parametrize("spoil", [emptied, zipped, text("x"), cut])
def test_attention_maps_of_the_workflow(tmp_path, spoil):
    file = tmp_path / "maps.npz"
    np.savez(file, meta=np.arange(100))
    spoil(file)
    with pytest.raises(UserError, match="not a file of attention maps"):
        load_maps(file)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"run": 3', "null"])
def test_runs_of_the_workflow(made, tmp_path, capsys, content):
    (tmp_path / "metrics.json").write_text(content)
    paths = {"teacher": tmp_path, "student": tmp_path, "data": tmp_path / "tokens.npz"}
    np.savez(paths["data"], meta=np.array("{}"))
    message = refused(capsys, attention, {"split": "validation"}, **paths, out=tmp_path / "out")
    assert str(tmp_path) in message


@pytest.mark.parametrize("spoil", [emptied, cut, scrambled, text("idx\n1\n")])
def test_examples_of_the_workflow(tmp_path, spoil):
    file = tmp_path / "rte/examples.parquet"
    file.parent.mkdir()
    pq.write_table(pa.table({"split": ["test"] * 99, "index": range(99)}), file)
    spoil(file)
    with pytest.raises(UserError, match="not a file of examples"):
        read_examples([file], "rte", "test")


LIMITS = (1, 7, 39)


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_a_limit_takes_the_same_rows_of_a_file_or_its_parts(tmp_path, limit, parts, suffix):
    """Without reading the others: rows and their numbers are those of the whole."""
    words = [f"w{row % 17} w{row % 5}" for row in range(40)]
    table = pa.table({"sentence1": words, "sentence2": words, "label": [0, 1] * 20})
    folder = write_data(tmp_path / "text") / "rte"
    (folder / "validation.parquet").unlink()
    bounds = [0, 9, 23, 40] if parts == 3 else [0, 40]
    for part, (start, end) in enumerate(pairwise(bounds)):
        name = f"validation-{part:05d}-of-{parts:05d}" if parts > 1 else "validation"
        piece, file = table.slice(start, end - start), folder / f"{name}.{suffix}"
        if suffix == "parquet":
            pq.write_table(piece, file, row_group_size=4)
        else:
            with pa.ipc.new_file(file, table.schema) as out:
                out.write_table(piece)
    chosen = Source("folder", str(tmp_path / "text"), limit={"validation": limit})
    found = load_split_tables(chosen, GLUE["rte"])["validation"]
    whole = limited(table.append_column("idx", pa.array(range(40))), limit)
    assert found["idx"].to_pylist() == whole["idx"].to_pylist()
    assert found["sentence1"].to_pylist() == whole["sentence1"].to_pylist()
    assert found["label"].to_pylist() == whole["label"].to_pylist()


@pytest.mark.parametrize("error", [MemoryError, ModuleNotFoundError, Interrupted, UserError])
def test_unrelated_errors_are_not_translated(error):
    with pytest.raises(error, match=r"^words$"), as_user_error("file", "not readable", "write it"):
        raise error("words")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_not_the_base_models_fault(model, tmp_path, capsys, monkeypatch, number):
    def full(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(PreTrainedModel, "save_pretrained", full)
    message = refused(capsys, base, settings(model), out=tmp_path / "base")
    assert message == (
        f"error: {tmp_path / 'base'}: {os.strerror(number)}; make room there, or change results in "
        "the config"
    )
