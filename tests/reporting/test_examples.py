import numpy as np
import pandas as pd
import pytest

from internal_kd.errors import UserError
from internal_kd.evaluation.predictions import SplitPredictions
from internal_kd.reporting.development import development_predictions
from internal_kd.reporting.examples import read_examples
from tests.reporting.answers import answers
from tests.reporting.fake_runs import write_fake_run


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "rte" / "examples.parquet"
    path.parent.mkdir()
    frame = pd.DataFrame(
        {
            "split": ["train", "test", "test"],
            "index": [0, 1, 0],
            "idx": [5, 7, 8],
            "sentence1": ["a", "b", "c"],
            "sentence2": ["d", "e", "f"],
            "label": [1, -1, -1],
        }
    )
    frame.to_parquet(path)
    return path


def test_rows_of_a_split_by_index(file):
    frame = read_examples([file], "rte", "test")
    assert frame["sentence1"].tolist() == ["c", "b"]
    assert frame["idx"].tolist() == [8, 7]


def test_only_requested_columns_are_read(file):
    frame = read_examples([file], "rte", "test", columns=["split", "index", "idx"])
    assert list(frame.columns) == ["split", "index", "idx"]


def test_absent_split_has_no_rows(file):
    assert len(read_examples([file], "rte", "validation")) == 0


@pytest.mark.parametrize("copies", [0, 2])
def test_one_file_per_task(file, copies):
    with pytest.raises(UserError, match=rf"--examples: {copies} files for task rte"):
        read_examples([file] * copies, "rte", "test")


def test_broken_file_is_named(file):
    file.write_text("no parquet")
    with pytest.raises(UserError, match=r"examples\.parquet: not a file of examples"):
        read_examples([file], "rte", "test")


def test_development_predictions_in_the_order_of_the_runs(tmp_path):
    runs = [
        write_fake_run(tmp_path, "rte", name, validation=answers(right))
        for name, right in (("exp1.0", 9), ("exp2.0", 7))
    ]
    frames = development_predictions(runs)
    assert [(frame.predictions == frame.labels).sum() for frame in frames] == [9, 7]


def test_other_examples_are_refused(tmp_path):
    first = write_fake_run(tmp_path, "rte", "exp1.0", validation=answers(9))
    fewer = write_fake_run(tmp_path, "rte", "exp2.0", validation=answers(7, of=8))
    same = answers(9)
    flipped = SplitPredictions(same.indices, 1 - same.labels, same.logits)
    relabelled = write_fake_run(tmp_path, "rte", "exp3.2", validation=flipped)
    for other in (fewer, relabelled):
        with pytest.raises(UserError, match="development examples are not those of"):
            development_predictions([first, other])


def test_run_without_development_predictions(tmp_path):
    run = write_fake_run(tmp_path, "rte", "exp1.0", validation=answers(9))
    path = run.folder / "predictions.parquet"
    frame = pd.read_parquet(path)
    frame.assign(split=np.full(len(frame), "test")).to_parquet(path)
    with pytest.raises(UserError, match="no predictions on the development set"):
        development_predictions([run])
