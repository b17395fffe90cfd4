import math

import numpy as np
import pytest

from internal_kd.evaluation import metrics
from internal_kd.evaluation.comparison import (
    mean_effect_of,
    resampled_means,
    score_differences,
    score_effect,
)
from internal_kd.specs.tasks import METRICS_OF, SINGLE_LABEL

LABELS = np.random.default_rng(1).integers(2, size=200)


def rng():
    return np.random.default_rng(0)


def answers(accuracy, seeds, seed):
    draw = np.random.default_rng(seed)
    right = draw.random((seeds, len(LABELS))) < accuracy
    return np.where(right, LABELS, 1 - LABELS)


def difference(values):
    return values["a"] - values["b"]


def scores(predictions, metric, rows=slice(None)):
    score = metrics.METRICS[metric]
    return np.array([score(LABELS[rows], seed[rows]) for seed in predictions])


@pytest.mark.parametrize("metric", METRICS_OF[SINGLE_LABEL])
def test_a_difference_of_scores_has_both_variances(metric):
    """A is the variance of the mean difference on drawn examples, B that over seeds / S."""
    models = {"a": answers(0.9, 3, 2), "b": answers(0.7, 3, 3)}
    found = score_effect(LABELS, models, difference, metric, 4000, rng())
    by_seed = scores(models["a"], metric) - scores(models["b"], metric)
    draw = np.random.default_rng(9)
    drawn = [
        np.mean(scores(models["a"], metric, rows) - scores(models["b"], metric, rows))
        for rows in draw.integers(200, size=(1500, 200))
    ]
    assert found.value == pytest.approx(by_seed.mean())
    assert found.components[0].variance == pytest.approx(np.var(drawn), rel=0.12)
    assert found.components[1].variance == pytest.approx(by_seed.var(ddof=1) / 3)
    assert [part.df for part in found.components] == [199, 2]
    assert (found.n, found.seeds) == (200, 3)
    assert found.value > 0.1
    assert found.p() < 0.01


def test_accuracy_differences_are_exact_and_the_bootstrap_agrees():
    first, second = answers(0.9, 3, 2), answers(0.7, 3, 3)
    exact = score_differences(LABELS, first, second, 100, rng())["accuracy"]
    per_example = ((first == LABELS).astype(float) - (second == LABELS)).mean(axis=0)
    assert exact.components[0].variance == pytest.approx(per_example.var(ddof=1) / 200, rel=1e-12)
    models = {"a": first, "b": second}
    drawn = score_effect(LABELS, models, difference, "accuracy", 20_000, rng())
    assert drawn.components[0].variance == pytest.approx(exact.components[0].variance, rel=0.03)
    assert drawn.components[1].variance == pytest.approx(exact.components[1].variance)


def test_differences_of_every_metric_are_those_of_single_effects():
    first, second = answers(0.9, 2, 2), answers(0.7, 2, 3)
    found = score_differences(LABELS, first, second, 500, rng())
    assert set(found) == set(METRICS_OF[SINGLE_LABEL])
    for metric in ("f1", "f1_weighted", "mcc"):
        one = score_effect(LABELS, {"a": first, "b": second}, difference, metric, 500, rng())
        assert found[metric] == one


def test_a_difference_of_differences_of_means():
    """The variance over examples of a linear statistic is s^2 / n of its per-example values."""
    draw = np.random.default_rng(4)
    values = {name: draw.normal(i, 1, (4, 50)) for i, name in enumerate("abcd")}
    found = mean_effect_of(values, lambda v: (v["a"] - v["b"]) - (v["c"] - v["d"]), 20_000, rng())
    combined = (values["a"] - values["b"]) - (values["c"] - values["d"])
    assert found.value == pytest.approx(combined.mean())
    expected = combined.mean(axis=0).var(ddof=1) / 50
    assert found.components[0].variance == pytest.approx(expected, rel=0.03)
    assert found.components[1].variance == pytest.approx(combined.mean(axis=1).var(ddof=1) / 4)


def test_a_ratio_is_taken_seed_by_seed():
    values = {"a": np.array([[2.0, 4.0], [9.0, 9.0]]), "b": np.array([[1.0, 1.0], [3.0, 3.0]])}
    found = mean_effect_of(values, lambda v: v["a"] / v["b"], 20_000, rng())
    assert found.value == pytest.approx(3.0)
    assert found.components[1].variance == pytest.approx(0)
    # mean over seeds of the drawn ratio: 2.5, 3 or 3.5 with 1/4, 1/2, 1/4; times n / (n - 1)
    assert found.components[0].variance == pytest.approx(2 * 0.125, rel=0.05)


def test_one_run_stands_beside_each_seed():
    teacher, students = answers(0.95, 1, 5), answers(0.8, 3, 6)
    few = score_effect(LABELS, {"a": teacher, "b": students}, difference, "mcc", 300, rng())
    repeated = {"a": np.repeat(teacher, 3, axis=0), "b": students}
    many = score_effect(LABELS, repeated, difference, "mcc", 300, rng())
    assert few.seeds == 3
    assert few.value == pytest.approx(many.value)
    assert few.components[0].variance == pytest.approx(many.components[0].variance)
    exact = score_differences(LABELS, teacher, students, 100, rng())["accuracy"]
    assert exact.seeds == 3
    assert exact.value == pytest.approx(np.mean(teacher == LABELS) - np.mean(students == LABELS))


def test_one_seed_has_no_variance_over_seeds():
    models = {"a": answers(0.9, 1, 2), "b": answers(0.7, 1, 3)}
    found = score_effect(LABELS, models, difference, "f1", 300, rng())
    assert len(found.components) == 1
    assert not found.can_be_judged


def test_one_example_has_no_variance_over_examples():
    found = mean_effect_of({"a": np.ones((2, 1)), "b": np.zeros((2, 1))}, difference, 10, rng())
    assert math.isnan(found.p())


def test_seeds_that_cannot_be_paired_are_refused():
    with pytest.raises(ValueError, match=r"models of \[2, 3\] seeds"):
        resampled_means({"a": np.ones((2, 5)), "b": np.ones((3, 5))}, 10, rng())


def test_the_same_models_do_not_differ():
    same = answers(0.8, 3, 2)
    for effect in score_differences(LABELS, same, same, 100, rng()).values():
        assert effect.value == 0
        assert effect.p() == 1
