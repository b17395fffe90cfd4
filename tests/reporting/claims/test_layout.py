import math
from dataclasses import replace

import pytest

from internal_kd.reporting.claims.write import ClaimRow, page, survives
from internal_kd.reporting.records import columns_of
from tests.reporting.claims import study

SETTINGS = replace(study.SETTINGS, note="")


def row(**changes):
    """A row of the tidy table."""
    base = dict.fromkeys(columns_of(ClaimRow), math.nan) | {
        "claim": "gain",
        "family": "exploratory",
    }
    base |= {"place": "Table 1", "statement": "It gains.", "task": "rte", "statistic": "gain"}
    base |= {"value": 0.1, "low": 0.05, "high": 0.15, "p": 0.01, "p_bh": 0.01, "p_by": 0.04}
    return ClaimRow(**base | {"n": 20, "seeds": 3, "verdict": "holds", "remark": ""} | changes)


PRIMARY = {"claim": "first", "family": "primary", "p_bh": math.nan, "p_by": math.nan}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"p_bh": 0.06}, False),
        ({"verdict": "inconclusive"}, False),
        ({"verdict": "hint", "p_bh": math.nan}, False),
        (PRIMARY | {"p_holm": 0.03}, True),
        (PRIMARY | {"task": "mean"}, True),
        (PRIMARY | {"task": "mean", "p": 0.06}, False),
    ],
)
def test_what_survives_an_adjustment(changes, expected):
    assert survives(row(**changes), 0.05) is expected


def test_the_primary_claim_comes_first_and_what_survives_is_bold():
    rows = [
        row(**PRIMARY, p_holm=0.02),
        row(**PRIMARY | {"task": "mean", "p": 0.0004}),
        row(),
        row(task="cola", p=0.04, p_bh=0.08, p_by=0.2),
        row(claim="other", verdict="hint", p=math.nan, p_bh=math.nan, p_by=math.nan),
    ]
    text = page(rows, {"Gains": ["gain"], "Others": ["other"]}, SETTINGS)
    value = "0.100 | 0.050 to 0.150"
    lines = [
        "## Primary claim",
        f"| RTE | gain | {value} | 0.010 | 0.020 | 20 | 3 | **holds** | – |",
        f"| Mean over tasks | gain | {value} | \\< 0.001 | – | 20 | 3 | **holds** | – |",
        "## Exploratory claims",
        "| Gains | 2 | 1 | 0 | 0 | 0 | 0 |",
        "| Others | 0 | 0 | 0 | 0 | 1 | 0 |",
        "| All | 2 | 1 | 0 | 0 | 1 | 0 |",
        "### Gains",
        f"| RTE | gain | {value} | 0.010 | 0.010 | 0.040 | 20 | 3 | **holds** | – |",
        f"| CoLA | gain | {value} | 0.040 | 0.080 | 0.200 | 20 | 3 | holds | – |",
        "### Others",
        f"| RTE | gain | {value} | – | – | – | 20 | 3 | hint | – |",
    ]
    found = [line for line in text.splitlines() if line in lines]
    assert found == lines
