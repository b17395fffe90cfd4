"""Ways to spoil the files of a study: each function gives one that spoils those in a folder."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import transformers
import yaml
from safetensors.torch import load_file, save_file

from tests.jobs.tiny_study import tiny_tokenizer
from tests.models.tiny import SIZES, VOCABULARY

NOBODY = 65534

Spoil = Callable[[Path], object]
Tables = Callable[[pa.Table], pa.Table]


def cut_off(file: str, by: int = 1000) -> Spoil:
    """A file that lost its end."""
    return lambda folder: (folder / file).write_bytes((folder / file).read_bytes()[:-by])


def content(file: str, data: bytes) -> Spoil:
    """A file with other content."""

    def write(folder: Path) -> None:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(data)

    return write


def without(file: str) -> Spoil:
    """A file that is missing."""
    return lambda folder: (folder / file).unlink()


def without_folder(name: str) -> Spoil:
    """A folder that is missing."""
    return lambda folder: shutil.rmtree(folder / name)


def both(first: Spoil, second: Spoil) -> Spoil:
    """One after the other."""
    return lambda folder: (first(folder), second(folder))


def read_only(name: str) -> Spoil:
    """A folder that is empty and cannot be written to."""

    def close(folder: Path) -> None:
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(mode=0o500)

    return close


def link(name: str, target: str) -> Spoil:
    """A link."""

    def make(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(target)

    return make


def locked_by_another_user(file: str) -> Spoil:
    """A lock of somebody else."""

    def make(folder: Path) -> None:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()
        (folder / file).chmod(0o600)
        os.chown(folder / file, NOBODY, NOBODY)

    return make


def marked(folder_of_results: str, study: str) -> Spoil:
    """Results of another study."""
    return content(f"{folder_of_results}/.internal-kd.lock", json.dumps({"study": study}).encode())


def with_code(file: str, **changes: Any) -> Spoil:
    """A model with custom code, which writes a file where it is run."""
    code = b"open('RUN', 'w')\nfrom transformers import BertConfig as C, BertModel as M\n"
    return both(content("model/evil.py", code), in_json(file, **changes))


def pickled(folder: Path) -> None:
    """Weights in a pickle that writes a file where it is loaded."""
    import torch

    state = {**load_file(folder / "model/model.safetensors"), "more": _Evil()}
    torch.save(state, folder / "model/pytorch_model.bin")
    (folder / "model/model.safetensors").unlink()


class _Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch RUN",)


def full(file: str) -> Spoil:
    """A file on a device that is always full."""

    def link(folder: Path) -> None:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).unlink(missing_ok=True)
        (folder / file).symlink_to("/dev/full")

    return link


def in_json(file: str, **changes: Any) -> Spoil:
    """A JSON file with other values."""

    def write(folder: Path) -> None:
        values = json.loads((folder / file).read_text())
        (folder / file).write_text(json.dumps({**values, **changes}))

    return write


def in_study(**changes: Any) -> Spoil:
    """A study with other values, in its file."""

    def write(folder: Path) -> None:
        file = folder / "tiny.yaml"
        file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), **changes}))

    return write


def in_table(split: str, change: Tables) -> Spoil:
    """A split with other rows or columns."""

    def write(folder: Path) -> None:
        file = folder / f"text/rte/{split}.parquet"
        pq.write_table(change(pq.read_table(file)), file)

    return write


def column(name: str, *first: Any) -> Tables:
    """Other values in the first rows of a column."""

    def change(table: pa.Table) -> pa.Table:
        values = [*first, *table.column(name).to_pylist()[len(first) :]]
        return table.set_column(table.column_names.index(name), name, pa.array(values))

    return change


def labels(values: list[Any]) -> Tables:
    """Other labels, the same ones over and over."""

    def change(table: pa.Table) -> pa.Table:
        repeated = [values[row % len(values)] for row in range(table.num_rows)]
        return table.set_column(table.column_names.index("label"), "label", pa.array(repeated))

    return change


def renamed(old: str, new: str) -> Tables:
    """A column under another name."""
    return lambda table: table.rename_columns(
        [new if name == old else name for name in table.column_names]
    )


def class_names(*names: str) -> Tables:
    """Names of the classes, as the `datasets` library stores them."""
    about = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
    return lambda table: table.replace_schema_metadata({"huggingface": json.dumps(about)})


def latin1(table: pa.Table) -> pa.Table:
    """A text in another encoding than UTF-8, in the third row."""
    texts = [text.encode() for text in table.column("sentence1").to_pylist()]
    texts[2] = "café".encode("latin-1")
    column = pa.array(texts, pa.binary()).cast(pa.string(), safe=False)
    return table.set_column(table.column_names.index("sentence1"), "sentence1", column)


def unlike_shards(folder: Path) -> None:
    """A split in two parts whose columns differ."""
    file = folder / "text/rte/train.parquet"
    table = pq.read_table(file)
    file.unlink()
    for number, part in enumerate((table, table.drop_columns("sentence2"))):
        pq.write_table(part, file.with_name(f"train-0000{number}-of-00002.parquet"))


def model(name: str, **shape: Any) -> Spoil:
    """A base model of another family, with the same tokenizer."""

    def write(folder: Path) -> None:
        config = getattr(transformers, f"{name}Config")(**{"vocab_size": VOCABULARY, **shape})
        getattr(transformers, f"{name}Model")(config).save_pretrained(folder / "model")

    return write


def bert(**changes: Any) -> Spoil:
    """A BERT of another shape."""
    return model("Bert", **{**SIZES, "num_hidden_layers": 4, **changes})


def classifier(name: str, **changes: Any) -> Spoil:
    """A fine-tuned BERT of another shape."""

    def write(folder: Path) -> None:
        shape = {**SIZES, "num_hidden_layers": 4, **changes}
        names = {0: "entailment", 1: "not_entailment"}
        config = transformers.BertConfig(**shape, id2label=names)
        transformers.BertForSequenceClassification(config).save_pretrained(folder / name)

    return write


def tokenizer_without_padding(folder: Path) -> None:
    """A tokenizer that cannot pad."""
    tokenizer = tiny_tokenizer()
    tokenizer.pad_token = None
    tokenizer.save_pretrained(folder / "model")


def weights(file: str, factor: float) -> Spoil:
    """Weights times a factor."""

    def write(folder: Path) -> None:
        state = {name: tensor * factor for name, tensor in load_file(folder / file).items()}
        save_file(state, folder / file, metadata={"format": "pt"})

    return write
