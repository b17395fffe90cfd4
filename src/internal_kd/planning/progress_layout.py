"""Progress for a terminal."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict

from internal_kd.errors import printable
from internal_kd.planning.progress import Progress
from internal_kd.planning.states import STATES, RunState
from internal_kd.planning.wording import aligned, duration
from internal_kd.specs.runs import Run

ABSENT = "."


def progress_text(progress: Progress) -> str:
    """Table, what is at work, what failed, and the time that is left."""
    parts = [_table(progress), *_lists(progress), summary(progress)]
    return "\n\n".join(parts)


def progress_json(progress: Progress) -> str:
    """Progress for programs: every training with its state, and the time that is left."""
    content = {
        "study": progress.study,
        "runs": [_run_facts(run) for run in progress.runs],
        "other_jobs": len(progress.others),
        "other_jobs_finished": sum(job.finished for job in progress.others),
        "seconds_left": progress.seconds_left,
        "at_a_time": progress.at_a_time,
        "basis": progress.basis,
    }
    return json.dumps(content, indent=1)


def _run_facts(run: RunState) -> dict[str, object]:
    attempt = None if run.progress is None else asdict(run.progress)
    return {**asdict(run.run), "state": run.state, "log": str(run.log), "attempt": attempt}


def _table(progress: Progress) -> str:
    table = progress.table()
    total: Counter[str] = sum((counts for _, _, counts in table), Counter())
    rows = [[task, experiment, *_cells(counts)] for task, experiment, counts in table]
    head = ["task", "experiment", *STATES]
    return aligned([head, *rows, ["all", "", *_cells(total)]], left=2)


def _cells(counts: Counter[str]) -> list[str]:
    return [str(counts[state]) if counts[state] else ABSENT for state in STATES]


def _lists(progress: Progress) -> Iterator[str]:
    for state, describe in (("running", _how_far), ("stopped", _how_far), ("failed", _why)):
        runs = [run for run in progress.runs if run.state == state]
        if runs:
            lines = [f"  {_title(run.run)}: {describe(run)}" for run in runs]
            yield "\n".join([f"{state}:", *lines])


def _title(run: Run) -> str:
    return (
        f"{run.experiment} on {run.task}, {run.layers} layers, {run.percent} % of the data, "
        f"seed {run.seed}"
    )


def _how_far(run: RunState) -> str:
    found = run.progress
    if found is None or not found.steps:
        return "training has not started"
    position = f"epoch {found.epoch} of {found.epochs}, step {found.step} of {found.steps}"
    if found.loss is None:
        return position
    return (
        f"{position}; last epoch: loss {found.loss:.4f}, {found.score_name} {found.score:.4f}, "
        f"{found.epoch_seconds} s"
    )


def _why(run: RunState) -> str:
    return f"{printable(run.progress.reason) if run.progress else ''} ({run.log})"


def summary(progress: Progress) -> str:
    """How much is done, and how long the rest takes."""
    done = f"{len(progress.of('done'))} of {len(progress.runs)} runs"
    finished = sum(job.finished for job in progress.others)
    jobs = f"{done} and {finished} of {len(progress.others)} other jobs of {progress.study} done"
    if not progress.seconds_left:
        return jobs
    times = progress.at_a_time
    left = duration(progress.seconds_left / times)
    return f"{jobs}; about {left} left with {times} at a time ({progress.basis})"
