"""The README's picture: Table 1 of the embedded study as points with intervals.

python -m benchmarks.embedded_figure
"""

import argparse
import math
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from scipy.special import stdtrit

from internal_kd.reporting.figures.lines import CONFIDENCE, SEEDS_FOR_BANDS
from internal_kd.reporting.figures.style import COLORS, MARKERS, PAGE_WIDTH, new_figure
from internal_kd.study.glue import GLUE

TABLE = Path("docs/data/embedded_table1.csv")
PICTURE = Path("docs/figures/embedded_table1.png")
METRICS = {"cola": "mcc", "qqp": "accuracy", "mrpc": "accuracy", "rte": "accuracy"}
UNITS = {"mcc": "MCC × 100", "accuracy": "accuracy, %"}
TEACHER, MAJORITY = "exp1.0", "majority"
KINDS = {"none": "no teacher", "standard": "standard KD", "internal": "internal KD"}
COLOR = {**COLORS, "none": "#000000"}
MARKER = {**MARKERS, "none": "^"}
HEIGHT, DOTS_PER_INCH = 2.9, 200


def students(table: pd.DataFrame, task: str) -> pd.DataFrame:
    """One row per student of the task, in percent, in the order of the table.

    Columns: `experiment`, `label`, `kind` (a key of `KINDS`), `mean`, `half` (half the width of the
    95 % t-interval of the mean over seeds) and `flagged` (a run no better than the majority class).

    Args:
        table: tidy form of Table 1.
        task: its name.

    Raises:
        ValueError: a row with fewer seeds than an interval needs.
    """
    rows = _development(table, task)
    rows = rows[~rows["experiment"].isin([TEACHER, MAJORITY])]
    if (rows["n"] < SEEDS_FOR_BANDS).any():
        raise ValueError(f"{task}: intervals need at least {SEEDS_FOR_BANDS} seeds in every row")
    quantiles = stdtrit(rows["n"] - 1, (1 + CONFIDENCE) / 2)
    return pd.DataFrame(
        {
            "experiment": rows["experiment"],
            "label": rows["label"].str.removeprefix("Student ").replace("Student", "hard labels"),
            "kind": rows["experiment"].map(_kind),
            "mean": 100 * rows["mean"],
            "half": 100 * quantiles * rows["std"] / rows["n"].map(math.sqrt),
            "flagged": rows["flags"].notna(),
        }
    ).reset_index(drop=True)


def _development(table: pd.DataFrame, task: str) -> pd.DataFrame:
    kept = (table["task"] == task) & (table["metric"] == METRICS[task])
    return table[kept & (table["split"] == "validation")]


def _kind(experiment: str) -> str:
    if experiment.startswith("exp3"):
        return "internal"
    return "standard" if experiment.startswith("exp2") else "none"


def draw(table: pd.DataFrame, out: Path) -> None:
    """Write the picture as PNG: a panel for each task, a row for each student."""
    figure, panels = new_figure(PAGE_WIDTH, HEIGHT, ncols=len(METRICS), sharey=True)
    for axes, task in zip(panels, METRICS, strict=True):
        _draw_task(axes, table, task)
    names = students(table, next(iter(METRICS)))
    panels[0].set_yticks(range(len(names)), names["experiment"] + "  " + names["label"])
    panels[0].invert_yaxis()
    figure.legend(handles=_legend(), loc="outside upper center", ncols=5)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=DOTS_PER_INCH)


def _draw_task(axes: Axes, table: pd.DataFrame, task: str) -> None:
    for place, row in enumerate(students(table, task).to_dict("records")):
        color = COLOR[row["kind"]]
        axes.errorbar(
            row["mean"],
            place,
            xerr=row["half"],
            color=color,
            marker=MARKER[row["kind"]],
            markerfacecolor="white" if row["flagged"] else color,
        )
    lines = _development(table, task).set_index("experiment")["mean"]
    axes.axvline(100 * lines[TEACHER], color=COLOR["teacher"], linestyle="--", linewidth=1)
    if METRICS[task] == "accuracy":
        axes.axvline(100 * lines[MAJORITY], color=COLOR["teacher"], linestyle=":", linewidth=1)
    axes.set_title(GLUE[task].title + "-like")
    axes.set_xlabel(UNITS[METRICS[task]])


def _legend() -> list[Line2D]:
    kinds = [
        Line2D([], [], color=COLOR[kind], marker=MARKER[kind], label=title)
        for kind, title in KINDS.items()
    ]
    line = {"color": COLOR["teacher"], "linewidth": 1}
    teacher = Line2D([], [], linestyle="--", label="teacher", **line)
    return [*kinds, teacher, Line2D([], [], linestyle=":", label="majority class", **line)]


def main() -> None:
    """Draw the picture from the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.embedded_figure", description=__doc__
    )
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--out", type=Path, default=PICTURE)
    args = parser.parse_args()
    draw(pd.read_csv(args.table), args.out)


if __name__ == "__main__":
    main()
