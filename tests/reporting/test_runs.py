import json

import numpy as np
import pandas as pd
import pytest

from internal_kd.errors import UserError
from internal_kd.reporting.runs import RunFolder, read_run_folders, select
from internal_kd.study.glue import GLUE
from tests.reporting.answers import answers, unlabelled
from tests.reporting.fake_runs import write_fake_run


@pytest.fixture
def add(tmp_path):
    def write(experiment="exp2.0", task="rte", seed=0, **more):
        frames = {"validation": answers(7)} | more
        return write_fake_run(tmp_path, task, experiment, seed=seed, **frames)

    return write


@pytest.fixture
def run(add) -> RunFolder:
    return add(layers=3, percent=25, seed=4)


def test_fields_of_a_run(run) -> None:
    found = (run.task, run.experiment, run.layers, run.percent, run.seed)
    assert found == ("rte", "exp2.0", 3, 25, 4)
    assert run.folder.parts[-5:] == ("rte", "exp2.0", "layers3", "train25", "seed4")


def test_scores(add) -> None:
    run = add(test=unlabelled([0, 1]))
    assert run.score("accuracy") == 0.7
    assert run.score("accuracy", "test") is None
    assert add(seed=1, test=answers(6)).score("accuracy", "test") == 0.6


def test_scores_that_json_wrote_as_whole_numbers_are_floats(add) -> None:
    run = add(validation=answers(10))
    file = run.folder / "metrics.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"validation": {"mcc": 0}}))
    score = read_run_folders([run.folder], GLUE)[0].score("mcc")
    assert isinstance(score, float)
    assert score == 0.0


def test_predictions_of_each_split(add) -> None:
    found = add(test=unlabelled([1, 0, 1])).predictions()
    assert list(found) == ["validation", "test"]
    np.testing.assert_array_equal(found["test"].predictions, [1, 0, 1])
    np.testing.assert_array_equal(found["validation"].labels, answers(7).labels)


def test_history(add) -> None:
    rows = pd.DataFrame({"epoch": [1, 2], "validation_accuracy": [0.5, 0.75]})
    pd.testing.assert_frame_equal(add(history=rows).history(), rows)


@pytest.mark.parametrize("broken", [None, b"", b"PAR1 and no more"])
def test_broken_predictions_are_named(run, broken) -> None:
    file = run.folder / "predictions.parquet"
    file.unlink() if broken is None else file.write_bytes(broken)
    with pytest.raises(UserError, match=r"predictions\.parquet: not the predictions of a run"):
        run.predictions()


def test_an_unrelated_parquet_file_is_named(run) -> None:
    pd.DataFrame({"a": [1]}).to_parquet(run.folder / "predictions.parquet")
    with pytest.raises(UserError, match="not the predictions of a run"):
        run.predictions()


@pytest.mark.parametrize("broken", [None, b"", b'"'])
def test_broken_histories_are_named(run, broken) -> None:
    file = run.folder / "history.csv"
    file.unlink() if broken is None else file.write_bytes(broken)
    with pytest.raises(UserError, match=r"history\.csv: not the history of a run"):
        run.history()


def test_folders_are_read_in_their_order(add) -> None:
    runs = [add(seed=seed) for seed in (2, 0, 1)]
    found = read_run_folders((str(run.folder) for run in runs), GLUE)
    assert [run.seed for run in found] == [2, 0, 1]
    assert read_run_folders([], GLUE) == []


@pytest.mark.parametrize("content", [None, "", "[]", "{}", json.dumps({"run": {}})])
def test_folders_without_metrics_are_named(run, content) -> None:
    file = run.folder / "metrics.json"
    file.unlink() if content is None else file.write_text(content)
    with pytest.raises(UserError, match=r"metrics\.json: not the metrics of a run"):
        read_run_folders([run.folder], GLUE)


@pytest.fixture
def many(add):
    return [
        add(experiment, task, seed, layers=layers, percent=percent)
        for experiment in ("exp2.0", "exp3.2")
        for task in ("rte", "cola")
        for seed in (1, 0)
        for layers in (2, 1)
        for percent in (100, 50)
    ]


@pytest.mark.parametrize(
    ("key", "value", "count"),
    [
        ("task", "rte", 16),
        ("experiment", "exp3.2", 16),
        ("layers", 1, 16),
        ("percent", 50, 16),
        ("seed", 0, 16),
        ("seed", 7, 0),
    ],
)
def test_selection_by_each_key(many, key, value, count) -> None:
    found = select(many, **{key: value})
    assert len(found) == count
    assert all(getattr(run, key) == value for run in found)


def test_selection_by_several_keys_is_ordered(many) -> None:
    found = select(many, task="rte", experiment="exp2.0")
    order = [(run.layers, run.percent, run.seed) for run in found]
    assert order == [(la, p, s) for la in (1, 2) for p in (50, 100) for s in (0, 1)]
    assert len(select(many)) == len(many)
    assert len(select(many, task="rte", experiment="exp2.0", layers=1, percent=50, seed=0)) == 1
