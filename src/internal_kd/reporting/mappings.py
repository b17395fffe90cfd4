"""Maps of layers compared: each with the same student without losses between layers."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from internal_kd.reporting.grid_layout import grid_table, write_tables
from internal_kd.reporting.grids import FACTORS, GridScores, against_none, grouped, table_of
from internal_kd.reporting.runs import RunFolder, read_run_folders
from internal_kd.specs.grid_reports import GridSettings

CAPTION = (
    "Which teacher layer each student layer learns from, and differences from no losses between "
    "layers with the same start."
)


def write_mappings(folders: Iterable[str | Path], settings: GridSettings, out: str | Path) -> None:
    """Write the table as `out` (tidy .csv) and, beside it, as .md and .tex.

    Args:
        folders: of the runs of all maps of layers.
        settings: of the table.
        out: path of the .csv.

    Raises:
        UserError: a folder is none of a run, or runs are of different examples.
    """
    frame = build(read_run_folders(folders, settings.task_specs), settings)
    table = grid_table(frame, settings, FACTORS, "Maps of layers", CAPTION)
    write_tables(frame, {"tab:mappings": table}, out)


def build(runs: Sequence[RunFolder], settings: GridSettings) -> pd.DataFrame:
    """The tidy table, see `GridRow`: one row per setting, objective, start, map of layers and task,
    and for the mean over tasks.

    An objective without losses between layers has no map; it is what others are compared with.
    """
    groups = {
        levels: cells
        for levels, cells in grouped(settings, FACTORS).items()
        if not (cells[0].objective and cells[0].losses == "none")
    }
    return table_of(GridScores(runs, settings), groups, against_none)
