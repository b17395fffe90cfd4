"""Claims about development scores over epochs (Student Convergence).

They compare means over phases, never maxima: the best of many noisy epochs is above the best of
few, and above any mean, even if nothing happens. Each run gives one number; tests are over student
seeds, with the development examples as they are.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from internal_kd.evaluation.inference import over_seeds
from internal_kd.evaluation.resampling import Floats
from internal_kd.reporting.claims.claim import Claim, Finding, above, below, found, on_each_task
from internal_kd.reporting.claims.evidence import Evidence, NoData, tasks_of_table1
from internal_kd.reporting.runs import RunFolder

PEAK = "Student Convergence, Figure 4; appendix, Figure 10"
APPENDIX = "Appendix, Student Convergence, Figure 10"
TASK_OF_APPENDIX = "cola"


def peaks_before_output(row: str, evidence: Evidence, task: str) -> Finding:
    """Holds if the mean development score of the last epochs in which layers learn, minus that of
    the epochs after the last layer, is above 0.

    Before the last layer is finished, as many epochs count as come after it, or all if there are
    fewer.
    """
    runs = evidence.students(task, evidence.name_of(row))
    effect = over_seeds([_lead_before_output(run) for run in runs])
    remark = "; ".join(map(_best_epoch, runs))
    judged = above(effect, evidence.confidence)
    return found("mean score before minus after the last layer", judged, remark)


def starts_at_chance(row: str, evidence: Evidence, task: str) -> Finding:
    """Holds if the mean development score, minus that of the majority class, is below the margin
    while the lower two thirds of the layers learn.
    """
    runs = evidence.students(task, evidence.name_of(row))
    effect = over_seeds([_lower_phase(run) - _chance(run) for run in runs])
    remark = f"up to layer {_lower(evidence.depth)}; margin {evidence.margin:g}"
    judged = below(effect, evidence.confidence, evidence.margin)
    return found("early score minus majority class", judged, remark)


def rises_with_upper_layers(row: str, evidence: Evidence, task: str) -> Finding:
    """Holds if the mean development score while the upper third of the layers learns, minus that
    while the lower ones learn, is above the margin. The epochs after the last layer do not count.
    """
    runs = evidence.students(task, evidence.name_of(row))
    effect = over_seeds([_rise(run) for run in runs])
    remark = f"from layer {_lower(evidence.depth) + 1} on; margin {evidence.margin:g}"
    judged = above(effect, evidence.confidence, evidence.margin)
    return found("later score minus early score", judged, remark)


def task_of_appendix(evidence: Evidence) -> Sequence[str]:
    """CoLA, if it is a task of Table 1."""
    return [task for task in evidence.settings.tasks if task == TASK_OF_APPENDIX]


def _scores(run: RunFolder, after: int, until: int | None = None) -> Floats:
    """Development scores of the epochs after one and until another, or of all after it."""
    column = f"validation_{run.spec.selection_metric}"
    history = run.history()
    if column not in history or not len(history):
        raise NoData(f"no {column} in the history of seed {run.seed}")
    epochs, scores = (history[name].to_numpy() for name in ("epoch", column))
    chosen = epochs > after if until is None else (epochs > after) & (epochs <= until)
    return np.asarray(scores[chosen], dtype=float)


def _finished(run: RunFolder, layer: int) -> int:
    """The epoch after which the distillation of a layer ended."""
    ends = {event.layer: event.epoch for event in run.metrics.schedule}
    if layer not in ends:
        raise NoData(f"layer {layer} was never finished for seed {run.seed}")
    return ends[layer]


def _lower(layers: int) -> int:
    return layers * 2 // 3


def _lower_phase(run: RunFolder) -> float:
    """Mean score while the lower two thirds of the layers learn."""
    if not _lower(run.layers):
        raise NoData("a student of one layer has no lower layers")
    return float(_scores(run, 0, _finished(run, _lower(run.layers))).mean())


def _upper_phase(run: RunFolder) -> float:
    """Mean score while the upper third of the layers learns."""
    start, end = _finished(run, _lower(run.layers)), _finished(run, run.layers)
    return float(_scores(run, start, end).mean())


def _rise(run: RunFolder) -> float:
    early = _lower_phase(run)
    return _upper_phase(run) - early


def _lead_before_output(run: RunFolder) -> float:
    """Mean score of as many epochs before the end of the last layer as come after it, minus the
    mean score of those.
    """
    end = _finished(run, run.layers)
    before, after = _scores(run, 0, end), _scores(run, end)
    if not len(before) or not len(after):
        raise NoData("no epochs on either side of the last layer's end")
    return float(before[-len(after) :].mean() - after.mean())


def _chance(run: RunFolder) -> float:
    return run.metrics.majority["validation"][run.spec.selection_metric]


def _best_epoch(run: RunFolder) -> str:
    scores = _scores(run, 0)
    return (
        f"seed {run.seed}: best epoch {scores.argmax() + 1} of {len(scores)}, "
        f"last layer until {_finished(run, run.layers)}"
    )


def _of_both(
    name: str,
    place: str,
    statement: str,
    check: Callable[[str, Evidence, str], Finding],
    tasks: Callable[[Evidence], Sequence[str]],
) -> list[Claim[Evidence]]:
    """The claim for PID and for SID."""
    return [
        Claim(
            f"{schedule.lower()}-{name}",
            place,
            statement.format(f"{schedule} (Exp{row})"),
            on_each_task(partial(check, f"exp{row}"), tasks),
        )
        for schedule, row in (("PID", "3.3"), ("SID", "3.4"))
    ]


CLAIMS = (
    *_of_both(
        "peaks-before-output",
        PEAK,
        "{} scores best before the classification layer has been trained.",
        peaks_before_output,
        tasks_of_table1,
    ),
    *_of_both(
        "starts-at-chance",
        APPENDIX,
        "While its lower layers learn, {} stays near chance.",
        starts_at_chance,
        task_of_appendix,
    ),
    *_of_both(
        "rises-with-upper-layers",
        APPENDIX,
        "Once the upper layers learn, the score of {} goes up.",
        rises_with_upper_layers,
        task_of_appendix,
    ),
)
