"""Tables of text cells as Markdown and LaTeX, and tables as CSV files.

A spreadsheet computes cells that begin with certain characters, and a formula can send what is
beside it elsewhere. Such a text gets an apostrophe in front, which marks it as text.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

MISSING = "–"

TEX = {
    "\\": r"\textbackslash{}",
    "->": r"$\rightarrow$",
    "±": r"$\pm$",
    "–": "--",
    "−": "$-$",
    "<": "$<$",
    ">": "$>$",
    "[": "{[}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}
TEX_PATTERN = re.compile("|".join(map(re.escape, TEX)))


@dataclass(frozen=True)
class Column:
    """A column: its heading, the heading it shares with its neighbours, and its alignment."""

    name: str
    group: str = ""
    align: Literal["l", "r"] = "r"


@dataclass(frozen=True)
class Cell:
    """The text of a cell, and the footnotes it points to (such as "a")."""

    text: str
    bold: bool = False
    marks: tuple[str, ...] = ()


Row = Sequence[Cell]


@dataclass(frozen=True)
class Table:
    """A table to be written.

    Attributes:
        caption: above the table.
        columns: one for each cell of a row.
        sections: blocks of rows, parted by a rule in LaTeX.
        notes: lines below the table.
        title: before the caption in Markdown, such as "Table 1"; LaTeX counts itself.
    """

    caption: str
    columns: Sequence[Column]
    sections: Sequence[Sequence[Row]]
    notes: Sequence[str] = ()
    title: str = ""

    def __post_init__(self) -> None:
        widths = {len(row) for section in self.sections for row in section}
        if widths - {len(self.columns)}:
            raise ValueError(f"rows of {sorted(widths)} cells in {len(self.columns)} columns")


def markdown(table: Table) -> str:
    """The table for a README or a web page; a column's heading is its group and its name."""
    head = [f"{c.group} {c.name}".strip() for c in table.columns]
    rule = ["---" if c.align == "l" else "---:" for c in table.columns]
    rows = [[_markdown_cell(cell) for cell in row] for part in table.sections for row in part]
    lines = [f"| {' | '.join(cells)} |" for cells in (map(_markdown_text, head), rule, *rows)]
    notes = [f"\n{_markdown_text(note)}" for note in table.notes]
    caption = f"{table.title}. {table.caption}" if table.title else table.caption
    return "\n".join([f"**{_markdown_text(caption)}**", "", *lines, *notes]) + "\n"


def _markdown_cell(cell: Cell) -> str:
    text = _markdown_text(cell.text)
    text = f"**{text}**" if cell.bold else text
    return f"{text}<sup>{','.join(cell.marks)}</sup>" if cell.marks else text


def _markdown_text(text: str) -> str:
    return re.sub(r"([\\|*_<\[\]`$])", r"\\\1", text)


def booktabs(table: Table, label: str) -> str:
    """The table as a LaTeX float; it needs the package booktabs.

    Args:
        table: what to write.
        label: for `\\ref`.
    """
    alignment = "".join(column.align for column in table.columns)
    body = [line for i, part in enumerate(table.sections) for line in _tex_section(part, i)]
    return "\n".join(
        [
            "% needs \\usepackage{booktabs}",
            "\\begin{table}",
            "\\centering",
            f"\\caption{{{tex_text(table.caption)}}}",
            f"\\label{{{label}}}",
            f"\\begin{{tabular}}{{{alignment}}}",
            "\\toprule",
            *_tex_groups(table.columns),
            _tex_row(tex_text(column.name) for column in table.columns),
            "\\midrule",
            *body,
            "\\bottomrule",
            "\\end{tabular}",
            *(f"\\par\\smallskip\\footnotesize {tex_text(note)}" for note in table.notes),
            "\\end{table}",
            "",
        ]
    )


def tex_text(text: str) -> str:
    """Plain text with what LaTeX would read as a command made harmless."""
    return TEX_PATTERN.sub(lambda found: TEX[found.group()], text)


def _tex_section(rows: Iterable[Row], number: int) -> list[str]:
    lines = [_tex_row(map(_tex_cell, row)) for row in rows]
    return ["\\midrule", *lines] if number else lines


def _tex_row(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _tex_cell(cell: Cell) -> str:
    text = tex_text(cell.text)
    text = f"\\textbf{{{text}}}" if cell.bold else text
    return f"{text}\\textsuperscript{{{','.join(cell.marks)}}}" if cell.marks else text


def _tex_groups(columns: Sequence[Column]) -> list[str]:
    """The upper line of the head, where columns have groups, with a rule below each group."""
    if not any(column.group for column in columns):
        return []
    cells, rules, start = [], [], 1
    for group, members in groupby(columns, key=lambda column: column.group):
        size = len(list(members))
        cells.append(f"\\multicolumn{{{size}}}{{c}}{{{tex_text(group)}}}")
        if group:
            rules.append(f"\\cmidrule(lr){{{start}-{start + size - 1}}}")
        start += size
    return [_tex_row(cells), " ".join(rules)]


# Also their full-width forms, which some spreadsheets read alike.
FORMULA = ("=", "+", "-", "@", "\t", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def write_csv(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a table without its index; numbers stay as they are, also those that are texts."""
    safe = frame.copy()
    for name, column in frame.items():
        if not is_numeric_dtype(column) and not is_bool_dtype(column):
            cells = [harmless(cell) for cell in column]
            safe[name] = pd.Series(cells, index=frame.index, dtype=object)
    safe.to_csv(path, index=False, encoding="utf-8")


def harmless(cell: object) -> object:
    """The cell, marked as text where a spreadsheet would take it for a formula.

    A carriage return becomes a line feed: pandas does not quote a cell for it, and what follows it
    would begin a row.
    """
    if not isinstance(cell, str):
        return cell
    text = cell.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if text.startswith(FORMULA) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
