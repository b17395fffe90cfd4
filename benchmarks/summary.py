"""Medians over rounds, ratios and the share of what the processor can do."""

import pandas as pd

from benchmarks.contestants.field import OURS, TITLES

KEYS = ["shape", "task", "contestant"]
PLACE = ["shape", "task"]


def summarize(measurements: pd.DataFrame, epochs: int) -> pd.DataFrame:
    """One row per shape, task and contestant.

    Columns beside those of the measurements' medians: `total_ms` is a step with its share of what
    is done once in a training of `epochs`, `low_ms` and `high_ms` its extremes over rounds; `ratio`
    the median over rounds of total to that of `OURS`; `share` the share of the matmul peak.

    Args:
        measurements: rows of `benchmarks.measure.measure`.
        epochs: of a training.
    """
    table = measurements.copy()
    if "note" not in table:
        table["note"] = pd.NA
    table["total_ms"] = table["step_ms"] + table["once_ms"] / epochs
    ours = table[table["contestant"] == OURS].set_index([*PLACE, "round"])["total_ms"]
    table = table.join(ours.rename("ours_ms"), on=[*PLACE, "round"])
    table["ratio"] = table["total_ms"] / table["ours_ms"]
    groups = table.groupby(KEYS, sort=False)
    columns = ["step_ms", "once_ms", "total_ms", "ratio", "needed_gflop"]
    summary = groups[[*columns, "mean_length", "loss_error", "gradient_error"]].median()
    summary["low_ms"], summary["high_ms"] = groups["total_ms"].min(), groups["total_ms"].max()
    peak = table["matmul_gflops"].max()
    summary["share"] = 1000 * summary["needed_gflop"] / summary["step_ms"] / peak
    summary["note"] = groups["note"].first()
    return _ordered(summary.reset_index())


def _ordered(summary: pd.DataFrame) -> pd.DataFrame:
    """Shapes and tasks in their order, contestants in that of the field."""
    order = list(TITLES)
    number = summary["contestant"].map(order.index)
    first = summary.groupby(PLACE, sort=False).ngroup()
    places = pd.DataFrame({"place": first, "number": number})
    return summary.loc[places.sort_values(["place", "number"]).index].reset_index(drop=True)
