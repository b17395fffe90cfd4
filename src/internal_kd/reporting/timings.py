"""How long the jobs of a study took and how much memory they needed, by rule."""

from pathlib import Path

import pandas as pd

from internal_kd.errors import UserError
from internal_kd.reporting.formats import Cell, Column, Table, markdown

SECONDS, CPU_SECONDS, MEMORY_MB = "s", "cpu_time", "max_rss"


def read_benchmarks(folder: str | Path) -> pd.DataFrame:
    """One row per job: rule, seconds of wall time and of processor time, peak memory in MB.

    Raises:
        UserError: if the folder holds no benchmark.
    """
    folder = Path(folder)
    files = sorted(folder.rglob("*.tsv"))
    if not files:
        raise UserError(f"{folder}: no benchmarks there; run the study first")
    frames = [
        pd.read_csv(file, sep="\t", na_values="-").assign(rule=_rule(file, folder))
        for file in files
    ]
    return pd.concat(frames)[["rule", SECONDS, CPU_SECONDS, MEMORY_MB]]


def timings_by_rule(jobs: pd.DataFrame) -> pd.DataFrame:
    """Jobs, their wall and processor seconds, longest job and peak memory, slowest rule first."""
    table = jobs.groupby("rule").agg(
        jobs=(SECONDS, "size"),
        wall_seconds=(SECONDS, "sum"),
        cpu_seconds=(CPU_SECONDS, "sum"),
        longest_job_seconds=(SECONDS, "max"),
        peak_memory_mb=(MEMORY_MB, "max"),
    )
    return table.sort_values("wall_seconds", ascending=False)


def timings_markdown(folder: str | Path) -> str:
    """The timings of a study's benchmarks as a Markdown table with a line of totals."""
    table = timings_by_rule(read_benchmarks(folder))
    rows = [[Cell(str(rule)), *_cells(row)] for rule, row in table.iterrows()]
    largest = ["longest_job_seconds", "peak_memory_mb"]
    total = pd.concat([table.drop(columns=largest).sum(), table[largest].max()])
    names = [column.replace("_", " ") for column in table.columns]
    columns = [Column("rule", align="l"), *(Column(name) for name in names)]
    sections = [rows, [[Cell("all"), *_cells(total)]]]
    return markdown(Table(f"Time by rule, {folder}", columns, sections, []))


def _rule(file: Path, folder: Path) -> str:
    """Rules with wildcards have a folder of their own, others a file."""
    return file.relative_to(folder).parts[0].removesuffix(".tsv")


def _cells(row: "pd.Series[float]") -> list[Cell]:
    return [Cell(f"{value:.0f}") for value in row]
