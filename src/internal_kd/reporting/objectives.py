"""Objectives compared: each with the distillation that has no losses between layers."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from internal_kd.reporting.grid_layout import grid_table, write_tables
from internal_kd.reporting.grids import GridScores, against_none, grouped, table_of
from internal_kd.reporting.runs import RunFolder, read_run_folders
from internal_kd.specs.grid_reports import GridSettings

FACTORS = ("setting", "objective")
CAPTION = (
    "Objectives of distillation, means over starts and maps of layers, and their differences from "
    "the distillation without losses between layers."
)


def write_objectives(
    folders: Iterable[str | Path], settings: GridSettings, out: str | Path
) -> None:
    """Write the table as `out` (tidy .csv) and, beside it, as .md and .tex.

    Args:
        folders: of the runs of all objectives.
        settings: of the table.
        out: path of the .csv.

    Raises:
        UserError: a folder is none of a run, or runs are of different examples.
    """
    frame = build(read_run_folders(folders, settings.task_specs), settings)
    table = grid_table(frame, settings, FACTORS, "Objectives", CAPTION)
    write_tables(frame, {"tab:objectives": table}, out)


def build(runs: Sequence[RunFolder], settings: GridSettings) -> pd.DataFrame:
    """The tidy table, see `GridRow`: one row per setting, objective and task, and for the mean over
    tasks.

    A score is the mean over all experiments with the objective. Each of them is compared with the
    one without losses between layers that has its start and setting.
    """
    return table_of(GridScores(runs, settings), grouped(settings, FACTORS), against_none)
