"""Rows of tables as dataclasses and as data frames, whose columns are named as the fields are."""

from collections.abc import Iterable
from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

import pandas as pd

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Row = TypeVar("Row", bound=DataclassInstance)


def columns_of(kind: "type[DataclassInstance]") -> list[str]:
    """The fields of a kind of row, in their order."""
    return [field.name for field in fields(kind)]


def to_frame(rows: "Iterable[Row]", kind: "type[Row]") -> pd.DataFrame:
    """The frame of some rows, which may be none."""
    return pd.DataFrame([vars(row) for row in rows], columns=columns_of(kind))


def from_frame(frame: pd.DataFrame, kind: "type[Row]") -> "list[Row]":
    """The rows of a frame, which has these columns and perhaps others."""
    records = frame[columns_of(kind)].to_dict("records")
    return [kind(**{str(name): value for name, value in record.items()}) for record in records]
