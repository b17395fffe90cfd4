"""All claims, checked on a study and written as a tidy table and as a page."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from internal_kd.evaluation.attention_distances import read_distances
from internal_kd.reporting.claims import (
    agreement,
    attention,
    compression,
    convergence,
    data_size,
    scores,
)
from internal_kd.reporting.claims.claim import Claim, findings
from internal_kd.reporting.claims.evidence import Evidence
from internal_kd.reporting.claims.layout import page
from internal_kd.reporting.runs import RunFolder, read_run_folders

GROUPS: dict[str, Sequence[Claim]] = {
    "Scores": scores.CLAIMS,
    "Fewer layers": compression.CLAIMS,
    "Less training data": data_size.CLAIMS,
    "Convergence": convergence.CLAIMS,
    "Errors and confidence": agreement.CLAIMS,
    "Attention": attention.CLAIMS,
}
COLUMNS = ["claim", "place", "statement", "task", "statistic", "value", "low", "high", "n"]
COLUMNS += ["seeds", "verdict", "remark"]


def write_claims(
    folders: Iterable[str | Path],
    distances: Sequence[str | Path],
    settings: Mapping[str, Any],
    out: str | Path,
) -> None:
    """Write every claim's findings as `out` (tidy .csv) and, beside it, as .md.

    Args:
        folders: of the runs of Table 1 and of both sweeps.
        distances: files of the students' distances from their teachers; may be none.
        settings: study, note, tasks, roles (experiments by the paper's rows), standard and
            internal (names), sweep_layers (tasks, counts), sweep_sizes (tasks, percents),
            student_layers, confidence (of intervals), resamples, seed, margin.
        out: path of the .csv.

    Raises:
        UserError: a folder is none of a run, or runs are of different examples.
    """
    known = read_distances(distances) if distances else None
    frame = build(read_run_folders(folders), known, settings)
    out = Path(out)
    frame.to_csv(out, index=False)
    groups = {title: [claim.name for claim in claims] for title, claims in GROUPS.items()}
    out.with_suffix(".md").write_text(page(frame, groups, settings))


def build(
    runs: Sequence[RunFolder], distances: pd.DataFrame | None, settings: Mapping[str, Any]
) -> pd.DataFrame:
    """The tidy table: one row per claim and task.

    `low` and `high` are the ends of the interval of `value`, `n` the examples (or, for claims on
    epochs, the seeds) that it rests on. Rows without data have the verdict "no data", and no value
    unless only its interval lacks.
    """
    evidence = Evidence(runs, distances, settings)
    claims = [claim for group in GROUPS.values() for claim in group]
    rows = [row for claim in claims for row in _rows(claim, evidence)]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.round({"value": 6, "low": 6, "high": 6})


def _rows(claim: Claim, evidence: Evidence) -> Iterator[dict[str, Any]]:
    for task, found in findings(claim, evidence):
        yield {
            "claim": claim.name,
            "place": claim.place,
            "statement": claim.statement,
            "task": task,
            "statistic": found.statistic,
            "value": found.estimate.value,
            "low": found.estimate.low,
            "high": found.estimate.high,
            "n": found.estimate.n,
            "seeds": found.estimate.seeds,
            "verdict": found.verdict,
            "remark": found.remark,
        }
