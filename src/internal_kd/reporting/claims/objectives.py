"""Claims about objectives, starts and maps of layers, checked on the experiments of grids.

Each is one test of one or several contrasts: linear statistics of the experiments' scores, on each
task and on average over tasks. A claim is made of a study only where its grids have what it needs.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from internal_kd.evaluation.comparison import Statistic
from internal_kd.evaluation.inference import Effect, independent_difference, mean_effect
from internal_kd.evaluation.resampling import Floats
from internal_kd.reporting.claims.claim import (
    Claim,
    Findings,
    Judgement,
    all_above,
    found,
    near_zero,
)
from internal_kd.reporting.claims.contrasts import (
    Contrasts,
    GridEvidence,
    attention_against_others,
    copying_against_maps,
    lower_against_higher,
    matching_against_none,
    reversed_against_forward,
)
from internal_kd.reporting.claims.evidence import NoData
from internal_kd.reporting.claims.spreads import varies_least
from internal_kd.reporting.claims.write import ClaimRow, page, rows_of, tidy
from internal_kd.reporting.formats import write_csv
from internal_kd.reporting.grids import MEAN
from internal_kd.reporting.records import from_frame
from internal_kd.reporting.runs import RunFolder, read_run_folders
from internal_kd.specs.grid_reports import GridClaimsSettings

HOW_TO = "Wang et al. 2023"
SELECTION = "Yu et al. 2025 (Layer-Selection)"
QNLI = "qnli"
Effects = Mapping[str, Effect]
Judge = Callable[[GridEvidence, Effects], Judgement]


def every_above(evidence: GridEvidence, effects: Effects) -> Judgement:
    """All effects are above 0."""
    return all_above(list(effects.values()), evidence.confidence)


def near(evidence: GridEvidence, effects: Effects) -> Judgement:
    """The only effect is 0 but for the margin."""
    (effect,) = effects.values()
    return near_zero(effect, evidence.confidence, evidence.margin)


def on_tasks(
    contrasts: Callable[[GridEvidence, str], Contrasts], judge: Judge, statistic: str
) -> Callable[[GridEvidence], Findings]:
    """The findings on each task that has the contrasts, and on the mean over these tasks."""

    def findings(evidence: GridEvidence) -> Findings:
        by_task: dict[str, Effects] = {
            task: {
                name: evidence.effect(task, one) for name, one in contrasts(evidence, task).items()
            }
            for task in evidence.settings.tasks
            if _has(contrasts, evidence, task)
        }
        if len(by_task) > 1:
            by_task[MEAN] = _means([*by_task.values()])
        return [
            (task, found(statistic, judge(evidence, effects), _over(effects)))
            for task, effects in by_task.items()
        ]

    return findings


def _has(
    contrasts: Callable[[GridEvidence, str], Contrasts], evidence: GridEvidence, task: str
) -> bool:
    try:
        return bool(contrasts(evidence, task))
    except NoData:
        return False


def _means(effects: Sequence[Effects]) -> Effects:
    """The mean over tasks of each effect that all of them have."""
    names = [name for name in effects[0] if all(name in others for others in effects)]
    return {name: mean_effect([found[name] for found in effects]) for name in names}


def _over(effects: Effects) -> str:
    if len(effects) == 1:
        return next(iter(effects))
    smallest = min(effects, key=lambda name: effects[name].value)
    return f"{len(effects)} contrasts; smallest: {smallest}"


def gap_is_largest_on_qnli(evidence: GridEvidence) -> Findings:
    """Holds if lower minus higher layers as a start, the mean over vanilla KD and hidden-state
    transfer, is larger on QNLI than on each other task.
    """
    gaps = {}
    for task in evidence.settings.tasks:
        contrasts = [lower_against_higher(losses) for losses in ("none", "hidden")]
        known = [one(evidence, task) for one in contrasts if _has(one, evidence, task)]
        statistics = [statistic for one in known for statistic in one.values()]
        if statistics:
            gaps[task] = evidence.effect(task, _mean_of(statistics))
    others = {task: gap for task, gap in gaps.items() if task != QNLI}
    if QNLI not in gaps or not others:
        return []
    effects = {
        f"QNLI − {evidence.settings.task_specs[task].title}": independent_difference(
            gaps[QNLI], gap
        )
        for task, gap in others.items()
    }
    judged = every_above(evidence, effects)
    return [(QNLI, found("smallest lead of QNLI's gap", judged, _over(effects)))]


def _mean_of(statistics: Sequence[Statistic]) -> Statistic:
    def statistic(values: Mapping[str, Floats]) -> Floats:
        total: Floats = sum(one(values) for one in statistics[1:]) + statistics[0](values)
        return total / len(statistics)

    return statistic


LOWEST = "smallest difference"
CLAIMS = {
    "Objectives and starts": (
        Claim(
            "attention-transfer-is-best",
            f"{HOW_TO}, abstract",
            "Attention transfer scores higher than every other objective.",
            on_tasks(attention_against_others, every_above, LOWEST),
        ),
        Claim(
            "vanilla-starts-low",
            f"{HOW_TO}, abstract",
            "Vanilla KD scores higher from the lowest layers than from higher ones.",
            on_tasks(lower_against_higher("none"), every_above, LOWEST),
        ),
        Claim(
            "hidden-starts-low",
            f"{HOW_TO}, abstract",
            "Hidden-state transfer scores higher from the lowest layers than from higher ones.",
            on_tasks(lower_against_higher("hidden"), every_above, LOWEST),
        ),
        Claim(
            "start-matters-most-on-qnli",
            f"{HOW_TO}, abstract",
            "For vanilla KD and hidden-state transfer the start matters most on QNLI.",
            gap_is_largest_on_qnli,
        ),
        Claim(
            "attention-varies-least",
            f"{HOW_TO}, abstract",
            "Attention transfer varies less over starts than every other objective.",
            varies_least,
        ),
    ),
    "Maps of layers": (
        Claim(
            "copying-outweighs-map",
            f"{SELECTION}, README",
            "Copying weights matters more than the map of layers.",
            on_tasks(copying_against_maps, every_above, LOWEST),
        ),
        Claim(
            "matching-beats-none",
            f"{SELECTION}, README",
            "From copied weights, losses between layers score higher than none.",
            on_tasks(matching_against_none, every_above, "difference"),
        ),
        Claim(
            "reversed-is-near-forward",
            f"{SELECTION}, README",
            "From copied weights, the reversed map scores about as high as the forward one.",
            on_tasks(reversed_against_forward, near, "difference"),
        ),
    ),
}


def write_objective_claims(
    folders: Iterable[str | Path], settings: GridClaimsSettings, out: str | Path
) -> None:
    """Write every claim's findings as `out` (tidy .csv) and, beside it, as .md.

    Args:
        folders: of the runs of all objectives, starts and maps of layers.
        settings: of the claims.
        out: path of the .csv.

    Raises:
        UserError: a folder is none of a run, or runs are of different examples.
    """
    frame = build(read_run_folders(folders, settings.task_specs), settings)
    rows = from_frame(frame, ClaimRow)
    made = {row.claim for row in rows}
    groups = {
        title: [claim.name for claim in claims if claim.name in made]
        for title, claims in CLAIMS.items()
    }
    shown = {title: names for title, names in groups.items() if names}
    out = Path(out)
    write_csv(frame, out)
    text = page(rows, shown, settings, "Claims on objectives, starts and maps of layers")
    out.with_suffix(".md").write_text(text, encoding="utf-8")


def build(runs: Sequence[RunFolder], settings: GridClaimsSettings) -> pd.DataFrame:
    """The tidy table: one row per claim and task, and for the mean over tasks; see `write.build`.

    All claims are exploratory. Those that the study's grids do not allow have no row.
    """
    evidence = GridEvidence(runs, settings)
    return tidy(
        [row for claims in CLAIMS.values() for claim in claims for row in rows_of(claim, evidence)]
    )
