"""Notes below the tables of significance."""

import math
from collections.abc import Sequence

from internal_kd.evaluation.inference import SEEDS_FOR_VERDICTS
from internal_kd.reporting.significance_rows import MEAN, SignificanceRow
from internal_kd.reporting.wording import (
    capitalized,
    power_text,
    seeds_sentences,
    starts_sentences,
    teachers_sentences,
)
from internal_kd.specs.statistics import SignificanceSettings
from internal_kd.tasks import get_task


def primary_notes(records: Sequence[SignificanceRow], settings: SignificanceSettings) -> list[str]:
    """Below the primary comparison."""
    level = 1 - settings.confidence
    return [
        f"Study: {settings.study}. The primary comparison: difference of the mean over seeds in "
        "the metric that selects on the task. One test takes examples and student seeds as sources "
        "of chance together; p is two-sided. p (Holm) is adjusted over the tasks and starts from a "
        "distribution with heavier tails; the mean over tasks is a test of its own. Verdicts "
        f"(bold): adjusted p below {level:.3g}, from {SEEDS_FOR_VERDICTS} seeds on.",
        _detectable(level),
        *teachers_sentences(settings.teachers),
        *seeds_sentences(row.seeds for row in records),
        *starts_sentences(settings.internal, settings.standard),
        *_remarks(records),
        *_end(settings),
    ]


def exploratory_notes(
    records: Sequence[SignificanceRow], settings: SignificanceSettings
) -> list[str]:
    """Below the comparisons of every internal KD."""
    tested = sum(record.n > 0 for record in records)
    nothing = "Nothing to compare: no internal KD has a seed in common with its standard KD."
    return [
        f"Study: {settings.study}. Exploratory: hints for further studies, no verdicts. The "
        "test is the one over examples and seeds together; p (BH) and p (BY) bound the share of "
        f"false discoveries over the whole table ({tested} tested), after Benjamini and Hochberg, "
        "and after Benjamini and Yekutieli, which holds whatever the comparisons share; they start "
        "from a distribution with heavier tails.",
        _detectable(1 - settings.confidence),
        *teachers_sentences(settings.teachers),
        *([] if tested else [nothing]),
        *seeds_sentences(row.seeds for row in records),
        *_footnote(records),
        *_remarks(records),
        *_end(settings),
    ]


def paper_notes(records: Sequence[SignificanceRow], settings: SignificanceSettings) -> list[str]:
    """Below the tests as in the paper."""
    resamples = settings.resamples
    return [
        f"Study: {settings.study}. As in the paper, without a verdict: these tests take either "
        "the examples (t-test, McNemar, bootstrap, permutation) or the seeds (t over seeds) as the "
        "only source of chance, and call equal methods different far too often where both differ. "
        f"All p are two-sided and not adjusted; with {resamples} resamples none is below "
        f"{1 / (resamples + 1):.2g}. What these runs could have detected is in the table "
        "above. The paper states p below 0.001 for every internal KD on every task.",
        *_footnote(records),
        *_end(settings),
    ]


def _detectable(level: float) -> str:
    return (
        "Detectable: the smallest difference, in points, that these runs could have detected "
        f"({power_text(level)}, before adjustment); unknown with one seed."
    )


def _footnote(records: Sequence[SignificanceRow]) -> list[str]:
    """The mark of comparisons across starts."""
    text = "a: across starts, a hint only: the study has no standard KD with the same head, layers "
    return [] if all(row.same_start for row in records) else [f"{text}and training settings."]


def _remarks(records: Sequence[SignificanceRow]) -> list[str]:
    """A sentence for each comparison that was not possible."""
    return [
        f"{capitalized(row.experiment)} on {_title(row.task)}: {row.remark}."
        for row in records
        if math.isnan(row.p)
    ]


def _title(task: str) -> str:
    return "the mean of tasks" if task == MEAN else get_task(task).title


def _end(settings: SignificanceSettings) -> list[str]:
    return [settings.note] if settings.note else []
