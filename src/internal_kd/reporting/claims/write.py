"""All claims, checked on a study and written as a tidy table and as a page."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from internal_kd.evaluation.attention_distances import read_distances
from internal_kd.evaluation.inference import benjamini_hochberg, benjamini_yekutieli, family
from internal_kd.reporting.claims import (
    agreement,
    attention,
    compression,
    convergence,
    data_size,
    primary,
    scores,
)
from internal_kd.reporting.claims.claim import EXPLORATORY, Claim
from internal_kd.reporting.claims.evidence import Evidence
from internal_kd.reporting.claims.layout import page
from internal_kd.reporting.claims.rows import ClaimRow, rows_of
from internal_kd.reporting.claims.verdict import JUDGED
from internal_kd.reporting.csv_files import write_csv
from internal_kd.reporting.records import from_frame, to_frame
from internal_kd.reporting.runs import RunFolder, read_run_folders
from internal_kd.specs.statistics import ClaimsSettings

GROUPS: dict[str, Sequence[Claim]] = {
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
    frame = build(read_run_folders(folders), known, settings)
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
    rows = [row for claim in CLAIMS for row in rows_of(claim, evidence)]
    frame = to_frame(rows, ClaimRow)
    judged = frame["verdict"].isin(JUDGED) & (frame["family"] == EXPLORATORY)
    p_values = family(frame.loc[judged, "p"].tolist(), frame.loc[judged, "p_tail"].tolist())
    frame.loc[judged, "p_bh"] = benjamini_hochberg(p_values)
    frame.loc[judged, "p_by"] = benjamini_yekutieli(p_values)
    return frame.round({"value": 6, "low": 6, "high": 6})
