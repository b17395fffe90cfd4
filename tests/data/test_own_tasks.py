"""Files as users bring them: every form, odd texts, labels of all kinds."""

import csv
import gzip
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from internal_kd.data.own_tasks import OwnFiles, OwnTables, read_own
from internal_kd.errors import UserError
from internal_kd.specs.jobs import decode
from internal_kd.specs.task_definitions import TaskDefinition
from tests.conftest import ROOT

ROWS = [("a red dog", "low"), ('two, "quoted"\r\nlines\tand 🐕', "high"), ("it's NA", "normal")]
LABELS = ["low", "normal", "high"]
SHARED = Path(os.environ.get("INTERNAL_KD_SHARED", ROOT.parent / "shared")) / "tasks"
needs_real = pytest.mark.skipif(not SHARED.is_dir(), reason=f"no real tasks at {SHARED}")


def write(
    file: Path, rows: list[tuple[object, object]], names: tuple[str, str] = ("t", "y")
) -> str:
    """Rows in the form that the file's name says."""
    table = [dict(zip(("t", "y"), row, strict=True)) for row in rows]
    plain = file.name.removesuffix(".gz")
    if plain.endswith((".csv", ".tsv", ".txt")):
        opened = gzip.open if file.suffix == ".gz" else open
        with opened(file, "wt", newline="", encoding="utf-8-sig") as out:
            lines = csv.writer(out, delimiter="," if plain.endswith(".csv") else "\t")
            lines.writerows([("t", "y"), *rows])
    elif plain.endswith(".jsonl"):
        text = "".join(json.dumps(row) + "\n" for row in table).encode()
        file.write_bytes(gzip.compress(text) if file.suffix == ".gz" else text)
    elif plain.endswith(".arrow"):
        arrow = pa.Table.from_pylist(table)
        with pa.OSFile(str(file), "wb") as out, pa.ipc.new_stream(out, arrow.schema) as stream:
            stream.write_table(arrow)
    else:
        pq.write_table(pa.Table.from_pylist(table), file)
    return str(file)


def read(files: dict, **more: object) -> OwnTables:
    chosen = {"text": ["t"], "label": "y", "files": files, **more}
    definition = decode(chosen, TaskDefinition)
    own = OwnFiles(definition.files, definition.label, definition.format)
    return read_own(own, definition.task("own").data)


def read_labels(folder: Path, train: list[object], labels: list[str] | None, **other: object):
    """Labels of a JSON Lines file as read, and all that was found."""
    path = write(folder / "train.jsonl", [("x", label) for label in train])
    found = read({"train": path, "validation": path, **other}, labels=labels)
    return found.tables["train"][0]["label"].to_pylist(), found


@pytest.mark.parametrize(
    "name",
    ["a.csv", "a.tsv", "a.txt", "a.csv.gz", "a.jsonl", "a.jsonl.gz", "a.parquet", "a.arrow"],
)
def test_every_form_gives_the_same_rows(tmp_path, name) -> None:
    path = write(tmp_path / name, ROWS)
    found = read({"train": path, "validation": path, "test": path}, labels=LABELS)
    assert list(found.tables) == ["train", "validation", "test"]
    for table, where in found.tables.values():
        assert where == path
        assert table.column_names == ["idx", "t", "label"]
        assert table["t"].to_pylist() == [text for text, _ in ROWS]
        assert table["label"].to_pylist() == [0, 2, 1]
    assert found.changes == ()


def test_parts_in_a_folder_are_read_in_order(tmp_path) -> None:
    (tmp_path / "train").mkdir()
    for number, row in enumerate(ROWS):
        write(tmp_path / "train" / f"part-{number}.parquet", [row])
    folder = str(tmp_path / "train")
    found = read({"train": folder, "validation": folder}, labels=LABELS)
    assert found.tables["train"][0]["label"].to_pylist() == [0, 2, 1]


@pytest.mark.parametrize("whole", [True, False])
def test_folders_of_save_to_disk_are_read_with_their_class_names(tmp_path, whole) -> None:
    import datasets

    features = datasets.Features(
        {"t": datasets.Value("string"), "y": datasets.ClassLabel(names=["high", "low", "normal"])}
    )
    rows = datasets.Dataset.from_dict(
        {"t": [text for text, _ in ROWS], "y": [label for _, label in ROWS]}, features=features
    )
    splits = datasets.DatasetDict({"train": rows, "validation": rows})
    (splits if whole else rows.select([0, 1, 2])).save_to_disk(tmp_path / "d")
    folder = str(tmp_path / "d")
    found = read({"train": folder, "validation": folder}, labels=LABELS)
    assert found.tables["train"][0]["label"].to_pylist() == [0, 2, 1]


def test_a_file_without_header_and_quotes(tmp_path) -> None:
    file = tmp_path / "a.tsv"
    file.write_text('he said "no\t1\tid1\nyes"\t2\tid2\n')
    table_format = {"header": ["t", "y", "id"], "quoting": "none"}
    found = read({"train": str(file), "validation": str(file)}, format=table_format)
    assert found.tables["train"][0]["t"].to_pylist() == ['he said "no', 'yes"']
    assert found.spec.labels == ("1", "2")


@pytest.mark.parametrize(
    ("given", "labels", "numbers", "said"),
    [
        (["b", "a", "b"], None, [1, 0, 1], ""),
        ([10, 9, 2], None, [2, 1, 0], ""),
        (["10", "9", "2"], None, [2, 1, 0], ""),
        ([1.0, 0.0, 1.0], None, [1, 0, 1], ""),
        ([True, False, True], None, [1, 0, 1], ""),
        (["LOW", "high", "Normal"], LABELS, [0, 2, 1], "'LOW' as low"),
        ([0, 1, 2], LABELS, [0, 1, 2], "0 = low, 1 = normal, 2 = high"),
        (["1", "3", "2"], LABELS, [0, 2, 1], "1 = low, 2 = normal, 3 = high"),
        (["1.0", "0.0"], ["0", "1"], [1, 0], "'1.0' as 1"),
        (["01", "1"], ["01", "1"], [0, 1], ""),
    ],
)
def test_labels_become_numbers_and_what_is_no_name_is_said(
    tmp_path, given, labels, numbers, said
) -> None:
    found, read_ = read_labels(tmp_path, given, labels)
    assert found == numbers
    assert said in " ".join(read_.changes)
    assert bool(said) == bool(read_.changes)


def test_what_has_no_text_or_label_is_dropped_and_counted(tmp_path) -> None:
    rows = [("x", "a"), (" ", "b"), ("y", None), ("z", "b"), ("z", "")]
    path = write(tmp_path / "a.jsonl", rows)
    found = read({"train": path, "validation": path})
    assert found.tables["train"][0]["idx"].to_pylist() == [0, 3]
    assert f"{path}: 1 of 5 rows are dropped: no text in column 't'" in found.changes
    assert f"{path}: 2 of 4 rows are dropped: no label" in found.changes


def test_a_second_text_may_be_empty(tmp_path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("t,u,y\na,,k\nb,c,l\n")
    found = read({"train": str(file), "validation": str(file)}, text=["t", "u"])
    assert found.tables["train"][0]["u"].to_pylist() == ["", "c"]


def test_a_share_of_the_training_rows_is_stratified_and_fixed(tmp_path) -> None:
    rows = [(f"text {n}", "a" if n % 4 else "b") for n in range(80)] + [("rare", "c")]
    path = write(tmp_path / "a.csv", rows)
    first, again = (read({"train": path, "validation": {"share": 0.25}}) for _ in range(2))
    train, validation = (first.tables[split][0] for split in ("train", "validation"))
    assert train.num_rows + validation.num_rows == 81
    assert validation["label"].to_pylist().count(1) == 5
    assert 2 in train["label"].to_pylist()  # a class of one row is trained on
    assert not set(train["t"].to_pylist()) & set(validation["t"].to_pylist())
    assert again.tables["validation"][0].equals(validation)


def test_a_test_split_may_have_no_labels(tmp_path) -> None:
    path = write(tmp_path / "a.csv", ROWS)
    test = tmp_path / "b.csv"
    test.write_text("t\nx\ny\n")
    found = read({"train": path, "validation": path, "test": str(test)})
    assert found.tables["test"][0]["label"].to_pylist() == [-1, -1]


@pytest.mark.parametrize(
    ("rows", "more", "sentence"),
    [
        ([("x", "a"), ("y", "b")], {"labels": ["a", "c"]}, "label 'b' of row 1 is none of a, c;"),
        ([("x", 1.5), ("y", 2.0)], {}, "the label of row 0 is 1.5; a class is a name or a whole"),
        ([("x", 1), ("y", 2)], {"labels": LABELS}, "label '1' of row 0 is none of low, normal"),
        ([("x", None), ("y", None)], {}, "no row is left: no label"),
        ([(1, "a"), (2, "b")], {}, "column 't' is int64; it must hold strings"),
        ([("x", "a"), ("y", "b")], {"label": "yy"}, "column 'yy' is missing; rename 'y' to it"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path, rows, more, sentence) -> None:
    path = write(tmp_path / "a.parquet", rows)
    with pytest.raises(UserError) as error:
        read({"train": path, "validation": path}, **more)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_a_label_that_training_lacks_is_refused(tmp_path) -> None:
    train = write(tmp_path / "a.csv", [("x", "a"), ("y", "b")])
    other = write(tmp_path / "b.csv", [("x", "c")])
    with pytest.raises(UserError, match=r"b.csv: label 'c' of row 0 is none of a, b; correct it"):
        read({"train": train, "validation": other})


@needs_real
def test_banking77_has_its_77_classes_in_all_splits() -> None:
    folder = SHARED / "banking77"
    files = {"train": str(folder / "train.csv"), "validation": {"share": 0.1}}
    found = read(files | {"test": str(folder / "test.csv")}, text=["text"], label="category")
    sizes = {split: table.num_rows for split, (table, _) in found.tables.items()}
    assert sizes == {"train": 9003, "validation": 1000, "test": 3080}
    assert len(found.spec.classes) == 77
    assert all(len(t["label"].unique()) == 77 for t, _ in found.tables.values())
    assert found.changes == ()


@needs_real
def test_sick_has_three_classes_whatever_ends_its_lines() -> None:
    names = {"train": "train", "validation": "trial", "test": "test_annotated"}
    found = read(
        {split: str(SHARED / "sick" / f"SICK_{name}.txt") for split, name in names.items()},
        text=["sentence_A", "sentence_B"],
        label="entailment_judgment",
        labels=["entailment", "neutral", "contradiction"],
        format={"quoting": "none"},
    )
    assert [table.num_rows for table, _ in found.tables.values()] == [4500, 500, 4927]
    assert "'NEUTRAL' as neutral" in found.changes[0]
