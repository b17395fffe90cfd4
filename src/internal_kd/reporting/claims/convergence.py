"""Claims about development scores over epochs (Student Convergence)."""

import math
from collections.abc import Callable, Sequence
from functools import partial

import pandas as pd

from internal_kd.evaluation.significance import SAME
from internal_kd.reporting.claims.claim import Claim, Finding
from internal_kd.reporting.claims.estimate import seed_estimate
from internal_kd.reporting.claims.evidence import Evidence, NoData
from internal_kd.reporting.claims.verdict import NO_DATA, at_most, more_than
from internal_kd.reporting.runs import RunFolder
from internal_kd.tasks import get_task

PEAK = "Student Convergence, Figure 4; appendix, Figure 10"
APPENDIX = "Appendix, Student Convergence, Figure 10"
TASK_OF_APPENDIX = "cola"
NO_INTERVAL = "no data: an interval over seeds needs two"
ALIKE = "all seeds alike: the interval has no width"


def peaks_before_output(row: str, evidence: Evidence, task: str) -> Finding:
    """Holds if the best development score up to the epoch in which the last layer is finished,
    minus the best one after it, is above 0 (t-interval over seeds).
    """
    runs = evidence.students(task, evidence.name_of(row))
    values = []
    for run in runs:
        scores, end = _scores(run), _finished(run, run.layers)
        before, after = scores[scores.index <= end], scores[scores.index > end]
        if not len(before) or not len(after):
            raise NoData("no epochs on either side of the last layer's end")
        values.append(float(before.max() - after.max()))
    remark = "; ".join(map(_best_epoch, runs))
    return _judged(
        evidence, "best score before minus after the last layer", values, more_than, remark
    )


def starts_at_chance(row: str, evidence: Evidence, task: str) -> Finding:
    """Holds if the mean development score, minus that of the majority class, is below the margin
    while the lower two thirds of the layers learn (t-interval over seeds).
    """
    runs = evidence.students(task, evidence.name_of(row))
    values = [_early(run).mean() - _chance(run) for run in runs]
    judge = partial(at_most, bound=evidence.margin)
    remark = f"up to layer {_lower(evidence.depth)}; margin {evidence.margin:g}"
    return _judged(evidence, "early score minus majority class", values, judge, remark)


def rises_with_upper_layers(row: str, evidence: Evidence, task: str) -> Finding:
    """Holds if the best development score once the upper third of the layers learns, minus the
    mean one before, is above the margin (t-interval over seeds).
    """
    runs = evidence.students(task, evidence.name_of(row))
    values = []
    for run in runs:
        scores, early = _scores(run), _early(run)
        late = scores[scores.index > early.index.max()]
        if not len(late):
            raise NoData("no epochs after the lower layers")
        values.append(float(late.max() - early.mean()))
    judge = partial(more_than, bound=evidence.margin)
    remark = f"from layer {_lower(evidence.depth) + 1} on; margin {evidence.margin:g}"
    return _judged(evidence, "best later score minus early score", values, judge, remark)


def task_of_appendix(evidence: Evidence) -> Sequence[str]:
    """CoLA, if it is a task of Table 1."""
    return [task for task in evidence.settings["tasks"] if task == TASK_OF_APPENDIX]


def _judged(
    evidence: Evidence,
    statistic: str,
    values: Sequence[float],
    judge: Callable[[float, float], str],
    remark: str,
) -> Finding:
    found = seed_estimate(values, evidence.confidence)
    verdict = judge(found.low, found.high)
    if verdict == NO_DATA:
        remark = f"{NO_INTERVAL}; {remark}"
    elif math.isclose(found.low, found.high, abs_tol=SAME):
        remark = f"{remark}; {ALIKE}"
    return Finding(statistic, found, verdict, remark)


def _scores(run: RunFolder) -> pd.Series:
    """Development scores by epoch."""
    column = f"validation_{get_task(run.task).selection_metric}"
    history = run.history()
    if column not in history or not len(history):
        raise NoData(f"no {column} in the history of seed {run.seed}")
    return history.set_index("epoch")[column]


def _finished(run: RunFolder, layer: int) -> int:
    """The epoch after which the distillation of a layer ended."""
    ends = {event["layer"]: event["epoch"] for event in run.metrics["schedule"]}
    if layer not in ends:
        raise NoData(f"layer {layer} was never finished for seed {run.seed}")
    return int(ends[layer])


def _lower(layers: int) -> int:
    return layers * 2 // 3


def _early(run: RunFolder) -> pd.Series:
    """Scores while the lower two thirds of the layers learn."""
    if not _lower(run.layers):
        raise NoData("a student of one layer has no lower layers")
    scores = _scores(run)
    return scores[scores.index <= _finished(run, _lower(run.layers))]


def _chance(run: RunFolder) -> float:
    return float(run.metrics["majority"]["validation"][get_task(run.task).selection_metric])


def _best_epoch(run: RunFolder) -> str:
    scores = _scores(run)
    return (
        f"seed {run.seed}: best epoch {scores.idxmax()} of {len(scores)}, "
        f"last layer until {_finished(run, run.layers)}"
    )


def _of_both(
    name: str,
    place: str,
    statement: str,
    check: Callable[[str, Evidence, str], Finding],
    appendix: bool,
) -> list[Claim]:
    """The claim for PID and for SID."""
    return [
        Claim(
            f"{schedule.lower()}-{name}",
            place,
            statement.format(f"{schedule} (Exp{row})"),
            partial(check, f"exp{row}"),
            *([task_of_appendix] if appendix else []),
        )
        for schedule, row in (("PID", "3.3"), ("SID", "3.4"))
    ]


CLAIMS = (
    *_of_both(
        "peaks-before-output",
        PEAK,
        "{} scores best before the classification layer has been trained.",
        peaks_before_output,
        appendix=False,
    ),
    *_of_both(
        "starts-at-chance",
        APPENDIX,
        "While its lower layers learn, {} stays near chance.",
        starts_at_chance,
        appendix=True,
    ),
    *_of_both(
        "rises-with-upper-layers",
        APPENDIX,
        "Once the upper layers learn, the score of {} goes up.",
        rises_with_upper_layers,
        appendix=True,
    ),
)
