"""The numbers of the paper's Tables 2 and 3, to stand beside ours."""

from importlib.resources import files

import pandas as pd

FINGERPRINT_DATA = ("paper_table2.csv", "paper_table3.csv")


def paper_table2() -> pd.DataFrame:
    """The paper's Table 2, one row per value, in percent.

    Columns: experiment (exp1.0, exp2.0, exp3.X), task, metric, value, place. Its heading "Acc./F1"
    names the two numbers of QQP and MRPC in the wrong order: the first one is the F1.
    """
    return _read("paper_table2.csv")


def paper_table3() -> pd.DataFrame:
    """The paper's Table 3, one row per number of examples.

    Columns: experiment (exp2.0, exp3.2), task (qqp), count (a column of our Table 3), value, place.
    """
    return _read("paper_table3.csv")


def _read(name: str) -> pd.DataFrame:
    with files("internal_kd.reporting").joinpath(name).open() as file:
        return pd.read_csv(file)
