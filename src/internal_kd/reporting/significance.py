"""Tests of every internal KD against standard KD, as a tidy table and as compact ones."""

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from internal_kd.evaluation.inference import (
    SEEDS_FOR_VERDICTS,
    benjamini_hochberg,
    benjamini_yekutieli,
    family,
    holm,
    mean_effect,
)
from internal_kd.reporting import formats
from internal_kd.reporting.comparisons import Comparison, Differences, with_baseline
from internal_kd.reporting.formats import write_csv
from internal_kd.reporting.records import from_frame, to_frame
from internal_kd.reporting.runs import RunFolder, read_run_folders
from internal_kd.reporting.significance_layout import layouts
from internal_kd.reporting.significance_rows import (
    EXPLORATORY,
    MEAN,
    PRIMARY,
    SignificanceRow,
    missing_row,
    paper_rows,
    two_way_row,
    two_way_rows,
)
from internal_kd.specs.tables import SignificanceSettings

SPLITS = ("validation", "test")


def write_significance(
    folders: Iterable[str | Path], settings: SignificanceSettings, out: str | Path
) -> None:
    """Write the tests as `out` (tidy .csv) and, beside it, compact tables as .md and .tex.

    Args:
        folders: of the runs of every internal KD and of what they are compared with.
        settings: of the tests.
        out: path of the .csv.

    Raises:
        UserError: a folder is none of a run, or runs are of different examples.
    """
    frame = build(read_run_folders(folders, settings.task_specs), settings)
    tables = layouts(frame, settings)
    out = Path(out)
    write_csv(frame, out)
    out.with_suffix(".md").write_text(
        "\n".join(map(formats.markdown, tables.values())), encoding="utf-8"
    )
    texts = [formats.booktabs(table, label=label) for label, table in tables.items()]
    out.with_suffix(".tex").write_text("\n".join(texts), encoding="utf-8")


def build(runs: Sequence[RunFolder], settings: SignificanceSettings) -> pd.DataFrame:
    """The tidy table: one row per family, task, split, experiment, metric and test.

    Families: `primary`, the two students compared, in the metric that selects on each task, with
    their mean over tasks; `exploratory`, every internal KD in that metric; `other metrics`; and
    `as in the paper`, tests that take either examples or seeds as the only source of chance.

    `effect` (scores 0 to 1, MCC -1 to 1) is the experiment minus `baseline`, with `low` and `high`
    as the ends of its interval where the test has one, and `detectable` as the smallest size that
    the test would have found. `same_start` is False where the students differ in more than their
    losses. `unit` is what the test takes as a source of chance, `n` the number of examples (of
    seeds in tests over seeds), `seeds` the number of seeds both have. `p_holm` is adjusted over the
    tasks of the primary family, `p_bh` and `p_by` over all candidates and tasks of the exploratory
    one; several tests are adjusted from `p_tail`, a single one stays at its `p`. What could not be
    tested has a row with a remark.
    """
    differences = Differences(runs, settings)
    rows = [
        *_primary(differences, settings),
        *(
            row
            for task in settings.tasks
            for candidate in settings.candidates
            for split in SPLITS
            for row in _candidate(
                differences,
                with_baseline(candidate, settings.standard, task, split),
                settings,
            )
        ),
    ]
    frame = _adjusted(to_frame(rows, SignificanceRow))
    frame["verdict"] = [
        _verdict(row, 1 - settings.confidence) for row in from_frame(frame, SignificanceRow)
    ]
    counts = {"seeds": "Int64", "n": "Int64"}
    return frame.astype(counts).round(dict.fromkeys(["effect", "low", "high", "detectable"], 6))


def _primary(differences: Differences, settings: SignificanceSettings) -> Iterator[SignificanceRow]:
    """The two students compared on each task, and the mean over tasks where there are several."""
    internal, standard = settings.internal, settings.standard.name
    same = internal.baseline == standard
    effects = []
    for task in settings.tasks:
        comparison = Comparison(task, internal.name, standard, same)
        metric = settings.task_specs[task].selection_metric
        effect = differences.effects(comparison).get(metric)
        if effect is None:
            yield missing_row(comparison, PRIMARY, metric)
        else:
            effects.append(effect)
            yield two_way_row(comparison, PRIMARY, metric, effect, settings.confidence)
    if len(effects) > 1:
        mean = Comparison(MEAN, internal.name, standard, same)
        effect = mean_effect(effects)
        yield two_way_row(mean, PRIMARY, "selection", effect, settings.confidence)


def _candidate(
    differences: Differences, comparison: Comparison, settings: SignificanceSettings
) -> Iterator[SignificanceRow]:
    """All rows of an internal KD on a split."""
    if comparison.experiment == comparison.baseline:
        return
    answers = differences.answers(comparison)
    metric = settings.task_specs[comparison.task].selection_metric
    if answers is not None:
        effects = differences.effects(comparison)
        yield from two_way_rows(comparison, effects, metric, settings.confidence)
        rng = differences.rng(comparison, "paper")
        yield from paper_rows(comparison, answers, settings, rng)
    elif comparison.split == "validation":
        yield missing_row(comparison, EXPLORATORY, metric)


def _adjusted(frame: pd.DataFrame) -> pd.DataFrame:
    """Put in the p-values adjusted within their families."""
    primary = frame["family"] == PRIMARY
    for members in (primary & (frame["task"] != MEAN), primary & (frame["task"] == MEAN)):
        frame.loc[members, "p_holm"] = holm(_before(frame.loc[members]))
    exploratory = frame[frame["family"] == EXPLORATORY]
    for _, rows in exploratory.groupby("split"):
        p_values = _before(rows)
        frame.loc[rows.index, "p_bh"] = benjamini_hochberg(p_values)
        frame.loc[rows.index, "p_by"] = benjamini_yekutieli(p_values)
    return frame


def _before(rows: pd.DataFrame) -> list[float]:
    """The p-values of a family before they are adjusted."""
    return family(rows["p"].tolist(), rows["p_tail"].tolist())


def _verdict(row: SignificanceRow, level: float) -> str:
    """better, worse, inconclusive or hint in the primary family, nothing elsewhere."""
    if row.family != PRIMARY or math.isnan(row.p_holm):
        return ""
    if row.seeds < SEEDS_FOR_VERDICTS or not row.same_start:
        return "hint"
    if row.p_holm >= level:
        return "inconclusive"
    return "better" if row.effect > 0 else "worse"
