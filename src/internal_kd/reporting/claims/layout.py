"""The page of claims: how many hold, then each group of claims with its findings."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from internal_kd.reporting.claims.verdict import HOLDS, VERDICTS
from internal_kd.reporting.formats import MISSING, Cell, Column, Row, Table, markdown
from internal_kd.reporting.wording import capitalized
from internal_kd.tasks import get_task


def page(
    frame: pd.DataFrame, groups: Mapping[str, Sequence[str]], settings: Mapping[str, Any]
) -> str:
    """The findings as Markdown.

    Args:
        frame: the tidy table of all claims.
        groups: names of claims by the title of their group.
        settings: study, note, confidence and margin.
    """
    parts = ["# Claims of the paper\n", markdown(_counts(frame, groups, settings))]
    for title, names in groups.items():
        parts.append(f"## {title}\n")
        parts += [markdown(_table(frame[frame["claim"] == name])) for name in names]
    return "\n".join(parts)


def _counts(
    frame: pd.DataFrame, groups: Mapping[str, Sequence[str]], settings: Mapping[str, Any]
) -> Table:
    rows = [_count_row(title, frame[frame["claim"].isin(names)]) for title, names in groups.items()]
    columns = [Column("Claims", align="l"), *(Column(capitalized(name)) for name in VERDICTS)]
    return Table(
        caption="Verdicts, one per claim and task.",
        columns=columns,
        sections=[rows, [_count_row("All", frame)]],
        notes=_notes(settings),
    )


def _count_row(title: str, frame: pd.DataFrame) -> Row:
    counts = frame["verdict"].value_counts()
    return [Cell(title), *(Cell(str(counts.get(name, 0))) for name in VERDICTS)]


def _notes(settings: Mapping[str, Any]) -> list[str]:
    notes = [
        f"Study: {settings['study']}. A claim holds where the whole "
        f"{100 * settings['confidence']:g} % interval of its statistic lies on the claimed side of "
        "its bound, which is 0 unless the remark says otherwise; it does not hold where the whole "
        "interval lies on the other side; else it is inconclusive. Intervals are bootstrap "
        "intervals over examples and, from two seeds on, over seeds; those on epochs are "
        "t-intervals over seeds. Scores range from 0 to 1, MCC from -1 to 1. Verdicts are not "
        "corrected for the number of claims, and with fewer than five seeds they come too easily "
        "where seeds differ much."
    ]
    return notes + ([settings["note"]] if settings["note"] else [])


def _table(frame: pd.DataFrame) -> Table:
    """The findings of one claim."""
    first = frame.iloc[0]
    heads = ["Task", "Statistic", "Value", "Interval", "n", "Seeds", "Verdict", "Remark"]
    right = {"Value", "Interval", "n", "Seeds"}
    return Table(
        title=first["claim"],
        caption=f"{first['statement']} ({first['place']})",
        columns=[Column(head, align="r" if head in right else "l") for head in heads],
        sections=[[_row(row) for row in frame.to_dict("records")]],
    )


def _row(row: Mapping[Any, Any]) -> Row:
    known = not math.isnan(row["value"])
    return [
        Cell(get_task(row["task"]).title if row["task"] else MISSING),
        Cell(row["statistic"] or MISSING),
        Cell(_number(row["value"])),
        Cell(
            MISSING
            if math.isnan(row["low"])
            else f"{_number(row['low'])} to {_number(row['high'])}"
        ),
        Cell(str(row["n"]) if known else MISSING),
        Cell(str(row["seeds"]) if known else MISSING),
        Cell(row["verdict"], bold=row["verdict"] == HOLDS),
        Cell(row["remark"] or MISSING),
    ]


def _number(value: float) -> str:
    if math.isnan(value):
        return MISSING
    return f"{round(value, 3) + 0.0:.3f}".replace("-", "−")  # + 0.0: no minus before zero
