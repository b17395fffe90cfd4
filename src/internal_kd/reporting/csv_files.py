"""Tables as CSV files that no spreadsheet takes for a program.

A spreadsheet computes cells that begin with certain characters, and a formula can send what is
beside it elsewhere. Such a text gets an apostrophe in front, which marks it as text.
"""

from pathlib import Path

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

# Also their full-width forms, which some spreadsheets read alike.
FORMULA = ("=", "+", "-", "@", "\t", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def write_csv(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a table without its index; numbers stay as they are, also those that are texts."""
    safe = frame.copy()
    for name, column in frame.items():
        if not is_numeric_dtype(column) and not is_bool_dtype(column):
            cells = [harmless(cell) for cell in column]
            safe[name] = pd.Series(cells, index=frame.index, dtype=object)
    safe.to_csv(path, index=False, encoding="utf-8")


def harmless(cell: object) -> object:
    """The cell, marked as text where a spreadsheet would take it for a formula.

    A carriage return becomes a line feed: pandas does not quote a cell for it, and what follows it
    would begin a row.
    """
    if not isinstance(cell, str):
        return cell
    text = cell.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if text.startswith(FORMULA) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
