"""Claims about attention, by hand."""

import numpy as np
import pandas as pd
import pytest

from internal_kd.reporting.claims import attention
from internal_kd.reporting.claims.evidence import Evidence, NoData
from tests.reporting.claims.rte import RTE


def divergences(standard, internal, seeds=3):
    """Divergences of both students by seed, the same on each of five examples but for the layer."""
    rows = [
        ("rte", name, 4, 100, seed, index, layer, by_seed[seed] * layer)
        for name, by_seed in (("exp2.0", standard), ("exp3.2", internal))
        for seed in range(seeds)
        for index in range(5)
        for layer in (1, 2)
    ]
    columns = ["task", "experiment", "layers", "percent", "seed", "index", "layer", "attention_kl"]
    return Evidence([], pd.DataFrame(rows, columns=columns), RTE)


def test_ratio_of_divergences_is_the_geometric_mean_over_seeds():
    one = attention.closer_attention(divergences([2.0, 2.0, 4.0], [0.5, 0.5, 0.5]), "rte")
    ratios = np.array([4, 4, 8])
    assert one.judgement.value == pytest.approx(np.prod(ratios) ** (1 / 3))
    assert one.remark.startswith("standard 4.000, internal 0.750 nats")
    assert (one.judgement.n, one.judgement.seeds) == (5, 3)
    half = 4.302653 * np.log(ratios).std(ddof=1) / np.sqrt(3)
    assert one.judgement.high / one.judgement.value == pytest.approx(np.exp(half))
    assert one.judgement.value / one.judgement.low == pytest.approx(np.exp(half))


def test_ratio_and_its_inverse_are_equally_far_from_one():
    values = [2.0, 2.5, 4.0], [0.5, 0.4, 1.5]
    found = [
        attention.closer_attention(divergences(*order), "rte").judgement
        for order in (values, values[::-1])
    ]
    assert found[0].value == pytest.approx(1 / found[1].value)
    assert found[0].low == pytest.approx(1 / found[1].high)


def test_zero_divergence_has_no_ratio():
    with pytest.raises(NoData, match=r"has no ratio; standard 3.000, internal 0.000 nats"):
        attention.closer_attention(divergences([2.0] * 3, [0.0] * 3), "rte")


def test_distances_of_other_sizes_do_not_count():
    columns = ["task", "experiment", "layers", "percent", "seed", "index", "attention_kl"]
    frame = pd.DataFrame([("rte", "exp2.0", 2, 100, 0, 0, 1.0)], columns=columns)
    with pytest.raises(NoData, match=r"no distances of exp2\.0"):
        attention.closer_attention(Evidence([], frame, RTE), "rte")
