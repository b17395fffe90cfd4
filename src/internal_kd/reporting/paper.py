"""The numbers that the paper prints, to stand beside ours."""

from importlib.resources import files

import pandas as pd

FINGERPRINT_DATA = ("paper_table1.csv",)


def paper_table1() -> pd.DataFrame:
    """The paper's Table 1, one row per value, in percent.

    Columns: experiment (exp1.0 to exp3.6), task, metric, value, place. Its "F1" stands as
    f1_weighted, the only F1 that can lie so close to the accuracy (see docs/method.md).
    """
    with files("internal_kd.reporting").joinpath("paper_table1.csv").open() as file:
        return pd.read_csv(file)
