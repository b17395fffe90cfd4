"""A task of a user's own, from its file to a teacher and a student."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from internal_kd.data.encoding import load_tokens
from internal_kd.jobs import data, distill, student, teacher
from tests.jobs.tiny_study import (
    DISTILLATION,
    SELECTION,
    TRAINING,
    call,
    experiment_settings,
    run_of,
    write_base,
)

FORMAT = {"delimiter": None, "header": None, "quoting": "double"}


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Tokens and examples of three classes; one row has no text and labels are in capitals."""
    words = {"LOW": "w1 w2", "NORMAL": "w3 w4", "HIGH": "w5 w6"}
    rows = [f"{words[label]} w{n % 9},,{label}" for n in range(20) for label in words]
    (tmp_path / "a.csv").write_text("\n".join(["s,b,p", *rows, ",x,LOW", ""]))
    write_base(tmp_path / "base")
    own = {
        "files": {"train": str(tmp_path / "a.csv"), "validation": {"share": 0.2}},
        "label": "p",
        "format": FORMAT,
    }
    spec = {"name": "own", "text_columns": ["s", "b"], "labels": ["low", "normal", "high"]}
    settings = {"task": "own", "spec": spec, "source": "files", "limit": None, "max_length": 16}
    paths = {"base": tmp_path / "base", "tokens": tmp_path / "tokens.npz"}
    call(data, {**settings, "own": own}, **paths, examples=tmp_path / "examples.parquet")
    return tmp_path


def test_the_data_say_what_their_labels_are_and_what_was_changed(made) -> None:
    splits, meta = load_tokens(made / "tokens.npz")
    assert {name: len(split) for name, split in splits.items()} == {"train": 48, "validation": 12}
    assert meta.labels == ("low", "normal", "high")
    assert "1 of 61 rows are dropped: no text in column 's'" in meta.changes[0]
    assert "'LOW' as low" in meta.changes[1]
    examples = pq.read_table(made / "examples.parquet")
    assert examples.column_names == ["split", "index", "idx", "s", "b", "label"]


def test_teacher_and_student_learn_its_classes(made) -> None:
    call(student, {"init": "upper", "layers": 2}, base=made / "base", out=made / "init")
    training = {**TRAINING, "epochs": 6, "learning_rate": 3e-3, "keep_metric": "f1_weighted"}
    common = {"training": training, "selection": SELECTION}
    taught = {**common, "run": {**run_of("exp1.0", layers=4), "task": "own"}}
    tokens = made / "tokens.npz"
    call(teacher, taught, base=made / "base", data=tokens, out=made / "teacher")
    settings = {
        **common,
        "run": {**run_of("exp3.2"), "task": "own"},
        "experiment": experiment_settings("exp3.2"),
        "distillation": DISTILLATION,
        "teacher_seed": None,
    }
    paths = {"init": made / "init", "data": tokens, "teacher": made / "teacher/model"}
    call(distill, settings, **paths, out=made / "student")
    for name in ("teacher", "student"):
        metrics = json.loads((made / name / "metrics.json").read_text())
        assert metrics["validation"]["accuracy"] > 0.6  # a third is chance
        saved = json.loads((made / name / "model/config.json").read_text())
        assert saved["id2label"] == {"0": "low", "1": "normal", "2": "high"}
