import math

import numpy as np
import pytest

from internal_kd.reporting.claims.claim import Estimate
from internal_kd.reporting.claims.estimate import (
    THE_TEACHER,
    common_seeds,
    mean_draws,
    score_draws,
    seed_estimate,
    smallest,
)
from internal_kd.reporting.claims.evidence import Evidence, NoData
from tests.reporting.claims.study import SETTINGS, predictions, write_study
from tests.reporting.fake_runs import write_fake_run


@pytest.fixture
def evidence(tmp_path):
    return Evidence(write_study(tmp_path), None, SETTINGS)


def test_observed_scores_are_those_of_the_runs(evidence):
    models = {THE_TEACHER: evidence.teacher("cola")} | evidence.pair("cola")
    draws = score_draws(evidence, "cola", models)
    for name, runs in models.items():
        expected = np.mean([run.score("mcc") for run in runs])
        assert draws.observed[name] == pytest.approx(expected)
        assert draws.resampled[name].mean() == pytest.approx(expected, abs=0.01)
        assert draws.resampled[name].shape == (SETTINGS["resamples"],)
    assert (draws.n, draws.seeds) == (600, 2)


def test_interval_is_of_the_paired_difference(evidence):
    draws = score_draws(evidence, "cola", evidence.pair("cola"))
    same = draws.estimate(lambda models: models["internal"] - models["internal"], 0.95)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    found = draws.difference("internal", "standard", 0.95)
    assert found.low < found.value < found.high


def test_spread_between_seeds_widens_the_interval():
    evidence = Evidence([], None, SETTINGS | {"resamples": 4000})
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(2, 400))
    alike = mean_draws(evidence, "x", {"a": noise})
    apart = mean_draws(evidence, "x", {"a": noise + np.array([[0.0], [1.0]])})
    widths = [float(np.std(draws.resampled["a"])) for draws in (alike, apart)]
    assert widths[0] == pytest.approx(1 / np.sqrt(800), rel=0.3)
    assert widths[1] == pytest.approx(np.sqrt(1 / 8), rel=0.1)  # of means of two seeds, 1 apart


@pytest.mark.parametrize(
    ("seeds", "spread", "rates"), [(1, 0, (0.01, 0.12)), (5, 0, (0.01, 0.12)), (1, 4, (0.4, 0.9))]
)
def test_intervals_without_a_difference(seeds, spread, rates):
    """Intervals miss 0 as rarely as they should, unless one seed hides a spread between seeds."""
    rng, n = np.random.default_rng(0), 60
    missed = 0
    for seed in range(200):
        offsets = spread / np.sqrt(n) * rng.normal(size=(seeds, 1))
        values = rng.normal(size=n) + offsets
        evidence = Evidence([], None, SETTINGS | {"resamples": 200, "seed": seed})
        found = mean_draws(evidence, "x", {"a": values}).estimate(lambda models: models["a"], 0.95)
        missed += not found.low <= 0 <= found.high
    assert rates[0] <= missed / 200 <= rates[1]


def test_seeds_are_drawn_in_pairs():
    evidence = Evidence([], None, SETTINGS)
    shift = np.array([[0.0], [1.0], [5.0]]) * np.ones((3, 50))
    draws = mean_draws(evidence, "x", {"a": shift + 2, "b": shift})
    found = draws.difference("a", "b", 0.95)
    assert (found.low, found.high) == (pytest.approx(2), pytest.approx(2))


def test_t_interval_over_seeds_by_hand():
    found = seed_estimate([0.1, 0.2, 0.3], 0.95)
    half = 4.302653 * 0.1 / math.sqrt(3)
    assert (found.value, found.seeds) == (pytest.approx(0.2), 3)
    assert (found.low, found.high) == (pytest.approx(0.2 - half), pytest.approx(0.2 + half))


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_one_seed_has_no_interval(value):
    found = seed_estimate([value], 0.95)
    assert found.value == value
    assert math.isnan(found.low)
    assert math.isnan(found.high)


@pytest.mark.parametrize("value", [0.0, -0.05])
def test_interval_of_equal_seeds_has_no_width(value):
    found = seed_estimate([value] * 3, 0.95)
    assert (found.low, found.high) == (pytest.approx(value), pytest.approx(value))


def test_smallest_of_several_effects():
    found = {
        "a": Estimate(0.3, 0.1, 0.5, 9, 1),
        "b": Estimate(0.2, 0.15, 0.25, 9, 1),
    }
    name, one = smallest(found)
    assert (name, one.value, one.low, one.high) == ("b", 0.2, 0.1, 0.25)
    unknown = found | {"c": Estimate(0.4, math.nan, math.nan, 9, 1)}
    assert math.isnan(smallest(unknown)[1].low)


def test_only_seeds_of_all_students_are_used(tmp_path):
    runs = {
        name: [
            write_fake_run(tmp_path, "cola", name, seed=s, validation=predictions(0.8, s))
            for s in seeds
        ]
        for name, seeds in (("a", (0, 1)), ("b", (1, 2)), (THE_TEACHER.replace(" ", "-"), (0,)))
    }
    models = {"a": runs["a"], "b": runs["b"], THE_TEACHER: runs["the-teacher"]}
    found, seeds = common_seeds(models)
    assert seeds == 1
    assert [(run.experiment, run.seed) for run in found] == [("a", 1), ("b", 1), ("the-teacher", 0)]
    with pytest.raises(NoData, match="no seed in common"):
        common_seeds({"a": runs["a"][:1], "b": runs["b"]})


def test_hidden_labels_are_told(evidence):
    with pytest.raises(NoData, match="labels of the test set are hidden"):
        score_draws(evidence, "cola", evidence.pair("cola"), "test")
