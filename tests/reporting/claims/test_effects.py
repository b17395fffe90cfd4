import numpy as np
import pytest

from internal_kd.evaluation.inference import paired_means
from internal_kd.reporting.claims.effects import (
    THE_TEACHER,
    Means,
    difference,
    one_teacher,
    paired_runs,
    scores,
)
from internal_kd.reporting.claims.evidence import Evidence, NoData
from tests.reporting.claims.study import SETTINGS, predictions, write_study
from tests.reporting.fake_runs import write_fake_run

BY_HAND = {
    "a": np.array([[1.0, 1, 0, 1], [1, 1, 1, 1]]),
    "b": np.array([[1.0, 0, 0, 0], [0, 1, 0, 0]]),
}


@pytest.fixture
def evidence(tmp_path):
    return Evidence(write_study(tmp_path), None, SETTINGS)


def test_effect_of_means_by_hand():
    found = Means(BY_HAND).effect(difference("a", "b"))
    assert found.value == pytest.approx((0.5 + 0.75) / 2)
    over_examples = np.var([0.5, 0.5, 0.5, 1.0], ddof=1) / 4
    assert [part.variance for part in found.components] == [
        pytest.approx(over_examples),
        pytest.approx(np.var([0.5, 0.75], ddof=1) / 2),
    ]
    assert (found.n, found.seeds) == (4, 2)
    assert found == paired_means(BY_HAND["a"], BY_HAND["b"])


def test_a_model_of_one_run_stands_beside_each_seed():
    one = {"a": np.array([[1.0, 1, 0, 1]]), "b": BY_HAND["b"]}
    both = one | {"a": np.repeat(one["a"], 2, axis=0)}
    assert Means(one).effect(difference("a", "b")) == Means(both).effect(difference("a", "b"))
    assert Means(one).effect(difference("a", "b")).seeds == 2


def test_scores_are_those_of_the_runs(evidence):
    models = {THE_TEACHER: evidence.teachers("cola")} | evidence.pair("cola")
    found = scores(evidence, "cola", models)
    for name, runs in models.items():
        expected = [run.score("mcc") for run in runs]
        effect = found.effect(lambda values, name=name: values[name])
        assert effect.value == pytest.approx(np.mean(expected))
        assert (effect.n, effect.seeds) == (600, 3)


def test_accuracy_can_be_requested_instead(evidence):
    found = scores(evidence, "cola", evidence.pair("cola"), metric="accuracy")
    effect = found.effect(difference("internal", "standard"))
    by_role = {
        role: np.mean([run.score("accuracy") for run in runs])
        for role, runs in evidence.pair("cola").items()
    }
    assert effect.value == pytest.approx(by_role["internal"] - by_role["standard"])


def test_only_seeds_of_all_models_are_used_but_for_one_teacher(tmp_path):
    runs = {
        name: [
            write_fake_run(tmp_path, "cola", name, seed=s, validation=predictions(0.8, s))
            for s in seeds
        ]
        for name, seeds in (("a", (0, 1, 2)), ("b", (1, 2, 3)), ("one", (7,)), ("own", (0, 2, 3)))
    }
    students = {"a": runs["a"], "b": runs["b"]}

    def seeds_with(teachers):
        found = paired_runs({THE_TEACHER: teachers} | students)
        return {name: [run.seed for run in chosen] for name, chosen in found.items()}

    assert seeds_with(runs["one"]) == {THE_TEACHER: [7], "a": [1, 2], "b": [1, 2]}
    assert seeds_with(runs["own"]) == {THE_TEACHER: [2], "a": [2], "b": [2]}
    assert [one_teacher(runs[name]) for name in ("one", "own")] == [["one teacher per task"], []]
    with pytest.raises(NoData, match="no seed in common"):
        paired_runs({"a": runs["a"][:1], "b": runs["b"]})


def test_unlabelled_split_is_named(evidence):
    with pytest.raises(NoData, match="labels of the test set are hidden"):
        scores(evidence, "cola", evidence.pair("cola"), "test")
