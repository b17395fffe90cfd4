"""How often tests call equal methods different: a small simulation, and the one in the docs."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchmarks import false_rates
from benchmarks.false_rates import RATIOS, SEEDS, TESTS, Setting, rates, simulate, table
from internal_kd.specs.tasks import METRICS_OF, SINGLE_LABEL
from tests.conftest import ROOT

TWO_WAY, EXAMPLES, PERMUTATION, OVER_SEEDS = TESTS
BOUNDS = {3: 0.08, 4: 0.07, 5: 0.07, 10: 0.07}


@pytest.fixture(scope="module")
def written():
    return pd.read_csv(ROOT / "docs/data/false_rates.csv")


@pytest.mark.parametrize(("seeds", "ratio"), [(3, 0), (3, 30), (5, 3)])
def test_few_false_differences_in_any_metric(seeds, ratio):
    """Within three standard errors of the bound, of 400 replicates."""
    bound, found = BOUNDS[seeds], rates(Setting(seeds, ratio), 400)
    for metric in METRICS_OF[SINGLE_LABEL]:
        assert found[TWO_WAY, metric] <= bound + 3 * math.sqrt(bound * (1 - bound) / 400), metric


def test_each_source_of_chance_alone_gives_many():
    apart, alike = rates(Setting(3, 30), 200), rates(Setting(10, 0), 200)
    assert apart[EXAMPLES, "accuracy"] > 0.4
    assert apart[PERMUTATION, "mcc"] > 0.4
    assert alike[OVER_SEEDS, "accuracy"] > 0.2


@pytest.mark.parametrize("ratio", [1, 10])
def test_seeds_have_the_stated_spread(ratio):
    """Variance over seeds of the difference in accuracy, over the variance over examples."""
    setting, rng = Setting(400, ratio), np.random.default_rng(0)
    between, single = [], []
    for _ in range(12):
        answers = simulate(setting, rng)
        d = (answers.first == answers.labels) * 1.0 - (answers.second == answers.labels)
        interaction = d.var(axis=0).mean() / d.shape[1]  # of seeds with these examples
        between.append(d.mean(axis=1).var(ddof=1) - interaction)
        single.append(d.var(axis=1).mean() / d.shape[1])
    assert np.mean(between) / np.mean(single) == pytest.approx(ratio, rel=0.2)


def test_simulated_methods_are_equal():
    rng = np.random.default_rng(0)
    found = [simulate(Setting(2, 3), rng) for _ in range(300)]
    differences = [np.subtract(*each.correctness()).mean() for each in found]
    assert stats.ttest_1samp(differences, 0).pvalue > 0.01


def test_the_documented_rates_keep_the_bounds(written):
    assert set(written["seeds"]) == set(SEEDS)
    assert set(written["ratio"]) == set(RATIOS)
    assert written["replicates"].min() >= 2000
    ours = written[written["test"] == TWO_WAY]
    assert len(ours) == len(SEEDS) * len(RATIOS) * len(METRICS_OF[SINGLE_LABEL])
    for seeds, bound in BOUNDS.items():
        assert ours.loc[ours["seeds"] == seeds, "rate"].max() <= bound


@pytest.mark.slow
def test_the_documented_rates_are_those_of_the_code(written):
    found = rates(Setting(2, 3), 2000)
    rows = written[(written["seeds"] == 2) & (written["ratio"] == 3)]
    assert len(rows) == len(found)
    for row in rows.itertuples():
        assert found[row.test, row.metric] == pytest.approx(row.rate, abs=0.002)


def test_the_table_of_the_docs_is_that_of_the_rates(written):
    assert table(written) in (ROOT / "docs/statistics.md").read_text()


def test_the_table_shows_the_highest_rate():
    keys = {"seeds": 3, "ratio": 0, "replicates": 9}
    rows = [keys | {"test": test, "metric": "mcc", "rate": 0.1} for test in TESTS]
    rows.append(keys | {"test": TWO_WAY, "metric": "f1", "rate": 0.2})
    lines = table(pd.DataFrame(rows)).splitlines()
    assert lines[0] == "| seeds | test | ratio 0 |"
    assert lines[2:4] == ["| 3 | two-way | 0.200 |", "| 3 | t over examples | 0.100 |"]


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(false_rates, "SEEDS", (3,))
    monkeypatch.setattr(false_rates, "RATIOS", (0,))
    out = tmp_path / "new" / "rates.csv"
    monkeypatch.setattr("sys.argv", ["false_rates", "--replicates", "2", "--out", str(out)])
    false_rates.main()
    frame = pd.read_csv(out)
    assert len(frame) == 1 + 3 * len(METRICS_OF[SINGLE_LABEL])
    assert set(frame["replicates"]) == {10}
    assert capsys.readouterr().out == table(frame)
