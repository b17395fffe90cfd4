"""Claims on grids at their bound are rarely judged, checked on few studies here and on many in the
table.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.false_rates_claims import COLUMNS, Case, rates, summary
from benchmarks.false_rates_objectives import CASES, SEEDS, TASK, grid
from internal_kd.reporting.claims.objectives import CLAIMS
from tests.benchmarks.test_false_rates_claims import LIMITS, bound

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "docs/data/false_rates_objectives.csv"


def test_every_claim_is_simulated():
    simulated = {claim for case in CASES for claim in case.claims}
    assert simulated == {claim.name for claims in CLAIMS.values() for claim in claims}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.claims[0]}, {case.null}")
def test_few_claims_at_their_bound_are_judged(case):
    for claim, found in rates(case, 3, 3, 25).items():
        assert sum(found) <= bound(LIMITS[3], 25), claim


def test_two_seeds_are_never_judged():
    assert set(rates(CASES[0], 2, 3, 3).values()) == {(0.0, 0.0)}


def test_a_smaller_range_is_detected():
    """The simulation is no proof where no verdict is ever given."""
    wide = {f"{name}_last": 0.4 for name in ("vanilla", "hidden", "relations")}
    case = Case("attention varies less", ("attention-varies-least",), grid(TASK, **wide))
    assert rates(case, 5, 0, 10)["attention-varies-least"][0] > 0.5


def test_the_page_shows_the_shipped_rates():
    table = summary(pd.read_csv(SHIPPED), SEEDS)
    assert table in (ROOT / "docs/objectives-study.md").read_text()


def test_shipped_rates_are_within_their_limits():
    frame = pd.read_csv(SHIPPED)
    assert list(frame.columns) == COLUMNS
    assert set(frame["claim"]) == {claim for case in CASES for claim in case.claims}
    both = frame["holds"] + frame["does_not_hold"]
    error = np.sqrt(both * (1 - both) / frame["replicates"])
    assert (both - 2 * error <= frame["seeds"].map(LIMITS)).all()
