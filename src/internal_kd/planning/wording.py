"""Numbers and tables for a terminal."""

from collections.abc import Sequence

UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def short(count: float) -> str:
    """A count in thousands, millions and so on: 1,520,000 is 1.5 M."""
    for size, unit in UNITS:
        if count >= size:
            return f"{amount(count / size)} {unit}"
    return f"{count:.0f}"


def amount(value: float) -> str:
    """A quantity: whole from 10 on, with one decimal from 1 on, with two digits below."""
    if value >= 10:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def duration(seconds: float) -> str:
    """Seconds, minutes, hours or days, whichever takes few digits."""
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 1.5 * size:
            return f"{amount(seconds / size)} {unit}"
    return f"{seconds:.0f} s"


def counted(count: int, noun: str) -> str:
    """A count with its noun in the singular or the plural: 1 job, 2 jobs."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def aligned(rows: Sequence[Sequence[str]], left: int) -> str:
    """Rows of text cells in columns, the first `left` columns to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths, left) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int], left: int) -> str:
    cells = [
        cell.ljust(width) if number < left else cell.rjust(width)
        for number, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()
