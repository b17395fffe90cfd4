"""All claims, checked on a study and written as a tidy table and as a page."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from internal_kd.evaluation.attention_distances import read_distances
from internal_kd.evaluation.inference import (
    SEEDS_FOR_VERDICTS,
    benjamini_hochberg,
    benjamini_yekutieli,
    family,
)
from internal_kd.reporting.claims import (
    agreement,
    attention,
    compression,
    convergence,
    data_size,
    primary,
    scores,
)
from internal_kd.reporting.claims.claim import (
    EXPLORATORY,
    HOLDS,
    JUDGED,
    PRIMARY,
    VERDICTS,
    Claim,
    Known,
)
from internal_kd.reporting.claims.evidence import Evidence
from internal_kd.reporting.claims.primary import MEAN
from internal_kd.reporting.formats import MISSING, Cell, Column, Row, Table, markdown, write_csv
from internal_kd.reporting.records import from_frame, to_frame
from internal_kd.reporting.runs import RunFolder, read_run_folders
from internal_kd.reporting.wording import capitalized
from internal_kd.specs.reports import TestedSettings
from internal_kd.specs.tables import ClaimsSettings


@dataclass(frozen=True)
class ClaimRow:
    """A claim on a task, see `write.build`; NaN stands for what was not found."""

    claim: str
    family: str
    place: str
    statement: str
    task: str
    statistic: str
    value: float
    low: float
    high: float
    p: float
    p_tail: float
    p_holm: float
    p_bh: float
    p_by: float
    n: int
    seeds: int
    verdict: str
    remark: str


def rows_of(claim: Claim[Known], evidence: Known) -> Iterator[ClaimRow]:
    """A row for each finding; what is adjusted over exploratory claims is not known yet."""
    for task, found in claim.findings(evidence):
        judged = found.judgement
        yield ClaimRow(
            claim=claim.name,
            family=claim.family,
            place=claim.place,
            statement=claim.statement,
            task=task,
            statistic=found.statistic,
            value=judged.value,
            low=judged.low,
            high=judged.high,
            p=judged.p,
            p_tail=judged.tail_p,
            p_holm=found.p_holm,
            p_bh=math.nan,
            p_by=math.nan,
            n=judged.n,
            seeds=judged.seeds,
            verdict=judged.verdict,
            remark=found.remark,
        )


SURVIVING = "Holds after BH"
P_TITLES = {"p": "p", "p_holm": "p (Holm)", "p_bh": "p (BH)", "p_by": "p (BY)"}
P_COLUMNS = {PRIMARY: ("p", "p_holm"), EXPLORATORY: ("p", "p_bh", "p_by")}
SMALL = 0.001


def page(
    rows: Sequence[ClaimRow],
    groups: Mapping[str, Sequence[str]],
    settings: TestedSettings,
    title: str = "Claims of the paper",
) -> str:
    """The findings as Markdown.

    Args:
        rows: the tidy table of all claims.
        groups: names of the exploratory claims by the title of their group.
        settings: of the claims.
        title: of the page.
    """
    first, others = (
        [row for row in rows if row.family == family] for family in (PRIMARY, EXPLORATORY)
    )
    parts = [f"# {title}\n"]
    if first:
        claims = list(dict.fromkeys(row.claim for row in first))
        parts += [
            "## Primary claim\n",
            *_tables(first, claims, settings, [_primary_note(settings)]),
        ]
    parts += ["## Exploratory claims\n", markdown(_counts(others, groups, settings))]
    for title, names in groups.items():
        parts += [f"### {title}\n", *_tables(others, names, settings)]
    return "\n".join(parts)


def survives(row: ClaimRow, level: float) -> bool:
    """Whether a claim holds and its p is below the level even when adjusted for its family.

    The mean over tasks of the primary claim is a family of its own.
    """
    adjusted = row.p_holm if row.family == PRIMARY else row.p_bh
    p = row.p if row.task == MEAN else adjusted
    return bool(row.verdict == HOLDS and p < level)


def _counts(
    rows: Sequence[ClaimRow], groups: Mapping[str, Sequence[str]], settings: TestedSettings
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


def _primary_note(settings: TestedSettings) -> str:
    return (
        f"Study: {settings.study}. Two-sided test over examples and student seeds together, "
        f"adjusted over tasks by Holm. The claim holds (does not hold) on a task where the "
        f"difference is above (below) 0 with an adjusted p below {1 - settings.confidence:.2g}; "
        "the mean over tasks has a test of its own. Intervals are those of single tasks, not "
        "adjusted."
    )


def _notes(settings: TestedSettings) -> list[str]:
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
    rows: Sequence[ClaimRow],
    names: Sequence[str],
    settings: TestedSettings,
    notes: Sequence[str] = (),
) -> list[str]:
    return [
        markdown(_table([row for row in rows if row.claim == name], settings, notes))
        for name in names
    ]


def _table(rows: Sequence[ClaimRow], settings: TestedSettings, notes: Sequence[str]) -> Table:
    """The findings of one claim."""
    first = rows[0]
    p_columns = P_COLUMNS[first.family]
    right = ["Value", "Interval", *(P_TITLES[name] for name in p_columns), "n", "Seeds"]
    heads = ["Task", "Statistic", *right, "Verdict", "Remark"]
    return Table(
        title=first.claim,
        caption=f"{first.statement} ({first.place})",
        columns=[Column(head, align="r" if head in right else "l") for head in heads],
        sections=[[_row(row, p_columns, settings) for row in rows]],
        notes=notes,
    )


def _row(row: ClaimRow, p_columns: Sequence[str], settings: TestedSettings) -> Row:
    known = not math.isnan(row.value)
    interval = f"{_number(row.low)} to {_number(row.high)}"
    return [
        Cell(_title(row.task, settings)),
        Cell(row.statistic or MISSING),
        Cell(_number(row.value)),
        Cell(MISSING if math.isnan(row.low) else interval),
        *(Cell(_p(vars(row)[name])) for name in p_columns),
        Cell(str(row.n) if known else MISSING),
        Cell(str(row.seeds) if known else MISSING),
        Cell(row.verdict, bold=survives(row, 1 - settings.confidence)),
        Cell(row.remark or MISSING),
    ]


def _title(task: str, settings: TestedSettings) -> str:
    if task == MEAN:
        return "Mean over tasks"
    return settings.task_specs[task].title if task else MISSING


def _number(value: float) -> str:
    if math.isnan(value):
        return MISSING
    return f"{round(value, 3) + 0.0:.3f}".replace("-", "−")  # + 0.0: no minus before zero


def _p(value: float) -> str:
    if math.isnan(value):
        return MISSING
    return f"< {SMALL}" if value < SMALL else f"{value:.3f}"


GROUPS: dict[str, Sequence[Claim[Evidence]]] = {
    "Scores": scores.CLAIMS,
    "Fewer layers": compression.CLAIMS,
    "Less training data": data_size.CLAIMS,
    "Convergence": convergence.CLAIMS,
    "Errors and confidence": agreement.CLAIMS,
    "Attention": attention.CLAIMS,
}
CLAIMS = [*primary.CLAIMS, *(claim for group in GROUPS.values() for claim in group)]


def write_claims(
    folders: Iterable[str | Path],
    distances: Sequence[str | Path],
    settings: ClaimsSettings,
    out: str | Path,
) -> None:
    """Write every claim's findings as `out` (tidy .csv) and, beside it, as .md.

    Args:
        folders: of the runs of Table 1 and of both sweeps.
        distances: files of the students' distances from their teachers; may be none.
        settings: of the claims.
        out: path of the .csv.

    Raises:
        UserError: a folder is none of a run, or runs are of different examples.
    """
    known = read_distances(distances) if distances else None
    frame = build(read_run_folders(folders, settings.task_specs), known, settings)
    out = Path(out)
    write_csv(frame, out)
    groups = {title: [claim.name for claim in claims] for title, claims in GROUPS.items()}
    out.with_suffix(".md").write_text(
        page(from_frame(frame, ClaimRow), groups, settings), encoding="utf-8"
    )


def build(
    runs: Sequence[RunFolder], distances: pd.DataFrame | None, settings: ClaimsSettings
) -> pd.DataFrame:
    """The tidy table: one row per claim and task, and one for the primary claim's mean over tasks.

    `low` and `high` are the ends of the interval of `value`, `n` the examples (or, for claims on
    epochs, the seeds) that it rests on. `p` is that of the claim, and `p_tail` the one that
    adjustments start from: of the primary claim two-sided, adjusted over tasks as `p_holm`; of an
    exploratory one 1 on the other side of the bound, and adjusted over all exploratory rows with a
    verdict by Benjamini and Hochberg as `p_bh`, by Benjamini and Yekutieli as `p_by`. Rows
    without data have the verdict "no data", and no value.
    """
    evidence = Evidence(runs, distances, settings)
    return tidy([row for claim in CLAIMS for row in rows_of(claim, evidence)])


def tidy(rows: Iterable[ClaimRow]) -> pd.DataFrame:
    """The frame of some rows, whose exploratory ones with a verdict are adjusted; see `build`."""
    frame = to_frame(rows, ClaimRow)
    judged = frame["verdict"].isin(JUDGED) & (frame["family"] == EXPLORATORY)
    p_values = family(frame.loc[judged, "p"].tolist(), frame.loc[judged, "p_tail"].tolist())
    frame.loc[judged, "p_bh"] = benjamini_hochberg(p_values)
    frame.loc[judged, "p_by"] = benjamini_yekutieli(p_values)
    return frame.round({"value": 6, "low": 6, "high": 6})
