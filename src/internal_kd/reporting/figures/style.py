"""The style that all figures share: sizes, colours, markers, and the files of a figure."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.text import Text

from internal_kd.reporting.formats import write_csv

logging.getLogger("fontTools").setLevel(logging.WARNING)  # reports every glyph in a PDF

COLUMN_WIDTH = 3.3  # inches: one column of a two-column page
PAGE_WIDTH = 7.0  # inches: both columns

# Okabe and Ito's palette, distinct with every kind of colour vision; a role has its marker too.
TEACHER, STANDARD, INTERNAL = "#444444", "#0072B2", "#D55E00"
COLORS = {"teacher": TEACHER, "standard": STANDARD, "internal": INTERNAL}
MARKERS = {"teacher": "D", "standard": "o", "internal": "s"}
CYCLE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
CYCLE_MARKERS = ("o", "s", "^", "v", "P", "X", "d")
SEQUENTIAL = "cividis"
BAND_ALPHA = 0.18

SETTINGS: dict[Any, Any] = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.3,
    "lines.markersize": 4,
    "figure.constrained_layout.use": True,
    "figure.dpi": 100,
    "savefig.dpi": 300,
    "pdf.fonttype": 42,
    "svg.hashsalt": "internal-kd",
}

METRIC_TITLES = {
    "accuracy": "Accuracy (%)",
    "f1": "F1 (%)",
    "f1_weighted": "Weighted F1 (%)",
    "mcc": "MCC (× 100)",
}


def new_figure(
    width: float = COLUMN_WIDTH, height: float = 2.4, **subplots: Any
) -> tuple[Figure, Any]:
    """A figure of this size in inches and its axes, see `matplotlib.pyplot.subplots`.

    A user's own matplotlibrc, such as `text.usetex` in it, is ignored.
    """
    matplotlib.rcdefaults()
    plt.rcParams.update(SETTINGS)
    return plt.subplots(figsize=(width, height), **subplots)


def save_figure(
    figure: Figure, frame: pd.DataFrame, out: str | Path, remarks: Sequence[str] = ()
) -> None:
    """Write the data behind a figure as `out` (.csv), and the figure beside it as .pdf and .png.

    Args:
        figure: what was drawn; closed afterwards.
        frame: one row per thing drawn.
        out: path of the .csv.
        remarks: sentences that are set below the picture in small type.
    """
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_csv(frame, out)
    if remarks:
        figure.supxlabel("\n".join(remarks), fontsize=5.5, color="#555555", x=0.02, ha="left")
    _take_words_literally(figure)
    figure.savefig(out.with_suffix(".pdf"), metadata={"CreationDate": None})
    figure.savefig(out.with_suffix(".png"))
    plt.close(figure)


def _take_words_literally(figure: Figure) -> None:
    """A dollar sign in a label begins no formula; only powers on logarithmic axes are formulas."""
    powers = {
        label
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        if axis.get_scale() == "log"
        for label in axis.get_ticklabels(which="both")
    }
    for text in set(figure.findobj(Text)) - powers:
        text.set_parse_math(False)
