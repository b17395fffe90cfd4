"""The page of claims: the primary claim, how many of the others hold, then each of them."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from internal_kd.evaluation.inference import SEEDS_FOR_VERDICTS
from internal_kd.reporting.claims.claim import EXPLORATORY, PRIMARY
from internal_kd.reporting.claims.primary import MEAN
from internal_kd.reporting.claims.rows import ClaimRow
from internal_kd.reporting.claims.verdict import HOLDS, VERDICTS
from internal_kd.reporting.formats import MISSING, Cell, Column, Row, Table, markdown
from internal_kd.reporting.wording import capitalized
from internal_kd.specs.statistics import ClaimsSettings
from internal_kd.tasks import get_task

SURVIVING = "Holds after BH"
P_TITLES = {"p": "p", "p_holm": "p (Holm)", "p_bh": "p (BH)", "p_by": "p (BY)"}
P_COLUMNS = {PRIMARY: ("p", "p_holm"), EXPLORATORY: ("p", "p_bh", "p_by")}
SMALL = 0.001


def page(
    rows: Sequence[ClaimRow], groups: Mapping[str, Sequence[str]], settings: ClaimsSettings
) -> str:
    """The findings as Markdown.

    Args:
        rows: the tidy table of all claims.
        groups: names of the exploratory claims by the title of their group.
        settings: of the claims.
    """
    level = 1 - settings.confidence
    first, others = (
        [row for row in rows if row.family == family] for family in (PRIMARY, EXPLORATORY)
    )
    parts = ["# Claims of the paper\n", "## Primary claim\n"]
    parts += _tables(
        first, list(dict.fromkeys(row.claim for row in first)), level, [_primary_note(settings)]
    )
    parts += ["## Exploratory claims\n", markdown(_counts(others, groups, settings))]
    for title, names in groups.items():
        parts += [f"### {title}\n", *_tables(others, names, level)]
    return "\n".join(parts)


def survives(row: ClaimRow, level: float) -> bool:
    """Whether a claim holds and its p is below the level even when adjusted for its family.

    The mean over tasks of the primary claim is a family of its own.
    """
    adjusted = row.p_holm if row.family == PRIMARY else row.p_bh
    p = row.p if row.task == MEAN else adjusted
    return bool(row.verdict == HOLDS and p < level)


def _counts(
    rows: Sequence[ClaimRow], groups: Mapping[str, Sequence[str]], settings: ClaimsSettings
) -> Table:
    level = 1 - settings.confidence
    counts = [
        _count_row(title, [row for row in rows if row.claim in names], level)
        for title, names in groups.items()
    ]
    heads = [HOLDS, SURVIVING, *VERDICTS[1:]]
    return Table(
        caption="Verdicts, one per claim and task.",
        columns=[Column("Claims", align="l"), *(Column(capitalized(head)) for head in heads)],
        sections=[counts, [_count_row("All", rows, level)]],
        notes=_notes(settings),
    )


def _count_row(title: str, rows: Sequence[ClaimRow], level: float) -> Row:
    counts = Counter(row.verdict for row in rows)
    surviving = sum(survives(row, level) for row in rows)
    numbers = [counts[name] for name in VERDICTS]
    return [Cell(title), *(Cell(str(number)) for number in (numbers[0], surviving, *numbers[1:]))]


def _primary_note(settings: ClaimsSettings) -> str:
    return (
        f"Study: {settings.study}. Two-sided test over examples and student seeds together, "
        f"adjusted over tasks by Holm. The claim holds (does not hold) on a task where the "
        f"difference is above (below) 0 with an adjusted p below {1 - settings.confidence:.2g}; "
        "the mean over tasks has a test of its own. Intervals are those of single tasks, not "
        "adjusted."
    )


def _notes(settings: ClaimsSettings) -> list[str]:
    notes = [
        f"A claim holds where the whole {100 * settings.confidence:g} % interval of its "
        "statistic, over examples and student seeds together, lies on the claimed side of its "
        "bound, which is 0 unless the remark gives another. It does not hold where the whole "
        "interval lies on the other side (of several effects one, at a confidence adjusted for "
        "their number), else it is inconclusive. Verdicts need "
        f"{SEEDS_FOR_VERDICTS} seeds; with fewer, across different heads, or against the only "
        "teacher of a task there are hints. Verdicts are not adjusted for the number of claims: "
        "the p-values of Benjamini and Hochberg (BH), and of Benjamini and Yekutieli (BY), are. "
        f"Claims that hold are bold where the former is below {1 - settings.confidence:.2g}. "
        "Scores range from 0 to 1, MCC from −1 to 1."
    ]
    return notes + ([settings.note] if settings.note else [])


def _tables(
    rows: Sequence[ClaimRow], names: Sequence[str], level: float, notes: Sequence[str] = ()
) -> list[str]:
    return [
        markdown(_table([row for row in rows if row.claim == name], level, notes)) for name in names
    ]


def _table(rows: Sequence[ClaimRow], level: float, notes: Sequence[str]) -> Table:
    """The findings of one claim."""
    first = rows[0]
    p_columns = P_COLUMNS[first.family]
    right = ["Value", "Interval", *(P_TITLES[name] for name in p_columns), "n", "Seeds"]
    heads = ["Task", "Statistic", *right, "Verdict", "Remark"]
    return Table(
        title=first.claim,
        caption=f"{first.statement} ({first.place})",
        columns=[Column(head, align="r" if head in right else "l") for head in heads],
        sections=[[_row(row, p_columns, level) for row in rows]],
        notes=notes,
    )


def _row(row: ClaimRow, p_columns: Sequence[str], level: float) -> Row:
    known = not math.isnan(row.value)
    interval = f"{_number(row.low)} to {_number(row.high)}"
    return [
        Cell(_task(row.task)),
        Cell(row.statistic or MISSING),
        Cell(_number(row.value)),
        Cell(MISSING if math.isnan(row.low) else interval),
        *(Cell(_p(vars(row)[name])) for name in p_columns),
        Cell(str(row.n) if known else MISSING),
        Cell(str(row.seeds) if known else MISSING),
        Cell(row.verdict, bold=survives(row, level)),
        Cell(row.remark or MISSING),
    ]


def _task(name: str) -> str:
    if name == MEAN:
        return "Mean over tasks"
    return get_task(name).title if name else MISSING


def _number(value: float) -> str:
    if math.isnan(value):
        return MISSING
    return f"{round(value, 3) + 0.0:.3f}".replace("-", "−")  # + 0.0: no minus before zero


def _p(value: float) -> str:
    if math.isnan(value):
        return MISSING
    return f"< {SMALL}" if value < SMALL else f"{value:.3f}"
