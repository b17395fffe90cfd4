import json
import logging

import pyarrow as pa
import pytest

from internal_kd.data.checks import validate_table, warn_of_overlap
from internal_kd.errors import UserError


def changed(table, **columns):
    for name, values in columns.items():
        position = table.column_names.index(name)
        table = table.set_column(position, name, pa.array(values))
    return table


def renamed(table, old, new):
    return table.rename_columns([new if name == old else name for name in table.column_names])


def with_names(table, names):
    info = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
    return table.replace_schema_metadata({"huggingface": json.dumps(info)})


def test_plain_form(rte, rte_table):
    shuffled = rte_table.select(["label", "sentence2", "idx", "sentence1"])
    table = validate_table(shuffled, rte, "train", "here")
    assert table.schema.names == ["idx", "sentence1", "sentence2", "label"]
    assert [str(t) for t in table.schema.types] == ["int64", "string", "string", "int64"]
    assert table.column("idx").to_pylist() == [7, 8, 9]


def test_missing_idx_is_the_row_number(rte, rte_table):
    table = validate_table(rte_table.drop_columns("idx"), rte, "train", "here")
    assert table.column("idx").to_pylist() == [0, 1, 2]


def test_other_widths_are_accepted(rte, rte_table):
    narrow = rte_table.cast(
        pa.schema(
            [
                ("sentence1", pa.large_string()),
                ("sentence2", pa.string()),
                ("label", pa.int8()),
                ("idx", pa.int32()),
            ]
        )
    )
    table = validate_table(narrow, rte, "train", "here")
    assert table.column("label").to_pylist() == [0, 1, 1]


MISTAKES = {
    "empty": (lambda t: t.slice(0, 0), r"the train split is empty"),
    "missing text": (
        lambda t: renamed(t, "sentence2", "sentence_2"),
        r"column 'sentence2' is missing; rename 'sentence",
    ),
    "missing text, nothing near": (
        lambda t: t.select(["label", "idx"]),
        r"column 'sentence1' is missing; the columns are label, idx",
    ),
    "missing label": (
        lambda t: renamed(t, "label", "labels"),
        r"column 'label' is missing; rename 'labels' to it",
    ),
    "text of numbers": (
        lambda t: changed(t, sentence1=[1, 2, 3]),
        r"column 'sentence1' is int64; it must hold strings",
    ),
    "label of strings": (
        lambda t: changed(t, label=["entailment"] * 3),
        r"column 'label' is string; it must hold integers: 0 = entailment, 1 = not_entailment",
    ),
    "label of fractions": (lambda t: changed(t, label=[0.0, 1.0, 1.0]), r"'label' is double"),
    "label too large": (
        lambda t: changed(t, label=[0, 1, 2]),
        r"label 2 is outside the range 0 to 1; rte has the labels entailment, not_entailment",
    ),
    "label too small": (lambda t: changed(t, label=[0, 1, -2]), r"label -2 is outside the range"),
    "unlabelled": (
        lambda t: changed(t, label=[0, -1, 1]),
        r"row 1 is unlabelled \(-1\); the train split needs all labels",
    ),
    "null label": (lambda t: changed(t, label=[0, 1, None]), r"row 2 is unlabelled"),
    "blank text": (
        lambda t: changed(t, sentence2=["a", " \t", "b"]),
        r"column 'sentence2' is empty in row 1",
    ),
    "null text": (lambda t: changed(t, sentence2=["a", "b", None]), r"is empty in row 2"),
    "idx of strings": (lambda t: changed(t, idx=["a", "b", "c"]), r"column 'idx' is string"),
    "labels in another order": (
        lambda t: with_names(t, ["not_entailment", "entailment"]),
        r"its labels are not_entailment, entailment in this order, rte needs entailment, not_ent",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_one_sentence(name, rte, rte_table):
    mistake, expected = MISTAKES[name]
    with pytest.raises(UserError, match=expected) as caught:
        validate_table(mistake(rte_table), rte, "train", "folder/rte/train.parquet")
    assert str(caught.value).startswith("folder/rte/train.parquet: ")
    assert "\n" not in str(caught.value)


def test_label_names_in_the_right_order_pass(rte, rte_table):
    named = with_names(rte_table, ["entailment", "not_entailment"])
    assert validate_table(named, rte, "train", "here").num_rows == 3


@pytest.mark.parametrize("labels", [[-1, -1, -1], [None, None, None]])
def test_test_split_may_be_unlabelled(labels, rte, rte_table):
    unlabelled = changed(rte_table, label=pa.array(labels, pa.int64()))
    table = validate_table(unlabelled, rte, "test", "here")
    assert table.column("label").to_pylist() == [-1, -1, -1]


def test_test_split_may_have_no_label_column(rte, rte_table):
    table = validate_table(rte_table.drop_columns("label"), rte, "test", "here")
    assert table.column("label").to_pylist() == [-1, -1, -1]


def test_test_split_is_labelled_whole_or_not_at_all(rte, rte_table):
    with pytest.raises(UserError, match="only some rows are labelled"):
        validate_table(changed(rte_table, label=[0, -1, 1]), rte, "test", "here")


def test_overlap_is_counted_and_logged(rte, rte_table, caplog):
    tables = {"train": rte_table, "validation": rte_table.slice(1), "test": rte_table.slice(0, 0)}
    with caplog.at_level(logging.WARNING):
        assert warn_of_overlap(tables, rte) == {"validation": 2, "test": 0}
    assert caplog.messages == ["rte: 2 of 2 validation rows are also in train"]


def test_pairs_overlap_as_pairs(rte, rte_table, caplog):
    other = changed(rte_table, sentence2=["another one", "another two", "another three"])
    assert warn_of_overlap({"train": rte_table, "validation": other}, rte) == {"validation": 0}
    assert not caplog.messages
