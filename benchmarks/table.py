"""The results as tables in Markdown."""

from typing import Any

import pandas as pd

from benchmarks.contestants.field import OURS, TITLES
from benchmarks.shapes import SHAPES
from internal_kd.study.glue import GLUE

Summary = pd.DataFrame


def render(summary: Summary) -> str:
    """A table for each shape: total CPU-ms per example, and its ratio to `OURS` in brackets."""
    shapes = summary.groupby("shape", sort=False)
    return "\n".join(_of_shape(str(name), part) for name, part in shapes)


def _of_shape(name: str, summary: Summary) -> str:
    tasks = list(dict.fromkeys(summary["task"]))
    head = [SHAPES[name].title, *(GLUE[task].title for task in tasks)]
    lines = [_line(head), _line(["---", *["---:"] * len(tasks)])]
    for contestant in dict.fromkeys(summary["contestant"]):
        rows = summary[summary["contestant"] == contestant].set_index("task")
        lines.append(_line([TITLES[contestant], *(_time(rows.loc[task]) for task in tasks)]))
    ours = summary[summary["contestant"] == OURS].set_index("task")
    lines += [
        _line(["one pass of its teacher, ms", *(f"{ours.loc[t, 'once_ms']:.2f}" for t in tasks)]),
        _line(["its share of the matmul peak", *(f"{ours.loc[t, 'share']:.0%}" for t in tasks)]),
    ]
    return "".join(line + "\n" for line in lines)


def _time(row: "pd.Series[Any]") -> str:
    if pd.isna(row["total_ms"]):
        return f"not measured: {row['note']}"
    text = f"{row['total_ms']:.2f}"
    return (
        f"**{text}**" if row.name == OURS or row["ratio"] == 1 else f"{text} ({row['ratio']:.1f}×)"
    )


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
