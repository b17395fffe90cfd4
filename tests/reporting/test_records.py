from dataclasses import dataclass

import pandas as pd

from internal_kd.reporting.records import columns_of, from_frame, to_frame


@dataclass(frozen=True)
class Fruit:
    name: str
    grams: float
    seeds: int = 0


ROWS = [Fruit("apple", 150.5, 5), Fruit("banana", 120.0)]


def test_columns_are_the_fields_in_their_order():
    assert columns_of(Fruit) == ["name", "grams", "seeds"]
    assert list(to_frame(ROWS, Fruit).columns) == columns_of(Fruit)


def test_rows_come_back_from_their_frame():
    frame = to_frame(ROWS, Fruit)
    assert frame["seeds"].tolist() == [5, 0]
    assert from_frame(frame.assign(other=1), Fruit) == ROWS
    assert from_frame(frame.astype({"seeds": "Int64"}), Fruit) == ROWS


def test_no_rows_have_columns_too():
    frame = to_frame([], Fruit)
    pd.testing.assert_frame_equal(frame, pd.DataFrame(columns=columns_of(Fruit)))
    assert from_frame(frame, Fruit) == []
