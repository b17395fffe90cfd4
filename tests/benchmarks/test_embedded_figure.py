"""The README's picture shows the shipped table."""

import pandas as pd
import pytest
from scipy.stats import t

from benchmarks.embedded_figure import TABLE, draw, students
from tests.conftest import ROOT


@pytest.fixture
def table():
    return pd.read_csv(ROOT / TABLE)


def test_points_are_means_with_their_t_intervals(table):
    row = students(table, "qqp").set_index("experiment").loc["exp2.0"]
    low, high = t.interval(0.95, 2, 63.9333, 8.9473 / 3**0.5)
    assert row["mean"] == pytest.approx(63.9333)
    assert row["mean"] - row["half"] == pytest.approx(low, abs=1e-3)
    assert row["mean"] + row["half"] == pytest.approx(high, abs=1e-3)
    assert row["flagged"]
    assert row["kind"] == "standard"


def test_every_student_has_a_row(table):
    found = students(table, "rte")
    assert list(found["experiment"])[:3] == ["exp1.1", "exp2.0", "exp2.0t"]
    assert list(found["kind"]) == ["none", *["standard"] * 2, *["internal"] * 7]
    assert not found["flagged"].any()


def test_a_row_of_two_seeds_has_no_interval(table):
    table.loc[table["experiment"] == "exp3.2", "n"] = 2
    with pytest.raises(ValueError, match="cola: intervals need at least 3 seeds"):
        students(table, "cola")


def test_the_picture_is_written(table, tmp_path):
    draw(table, tmp_path / "figures" / "picture.png")
    assert (tmp_path / "figures" / "picture.png").read_bytes().startswith(b"\x89PNG")
