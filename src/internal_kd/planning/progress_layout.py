"""Progress for a terminal."""

from collections import Counter
from collections.abc import Iterator

from internal_kd.planning.progress import Progress
from internal_kd.planning.states import STATES, RunState
from internal_kd.planning.wording import aligned, duration
from internal_kd.specs.runs import Run

ABSENT = "."


def progress_text(progress: Progress) -> str:
    """Table, what is at work, what failed, and the time that is left."""
    parts = [_table(progress), *_lists(progress), summary(progress)]
    return "\n\n".join(parts)


def _table(progress: Progress) -> str:
    table = progress.table()
    total: Counter[str] = sum((counts for _, _, counts in table), Counter())
    rows = [[task, experiment, *_cells(counts)] for task, experiment, counts in table]
    head = ["task", "experiment", *STATES]
    return aligned([head, *rows, ["all", "", *_cells(total)]], left=2)


def _cells(counts: Counter[str]) -> list[str]:
    return [str(counts[state]) if counts[state] else ABSENT for state in STATES]


def _lists(progress: Progress) -> Iterator[str]:
    for state, tell in (("running", _how_far), ("stopped", _how_far), ("failed", _why)):
        runs = [run for run in progress.runs if run.state == state]
        if runs:
            lines = [f"  {_title(run.run)}: {tell(run, progress)}" for run in runs]
            yield "\n".join([f"{state}:", *lines])


def _title(run: Run) -> str:
    return (
        f"{run.experiment} on {run.task}, {run.layers} layers, {run.percent} % of the data, "
        f"seed {run.seed}"
    )


def _how_far(run: RunState, progress: Progress) -> str:
    log, epochs = run.log, progress.epochs[run.run.name]
    if not log.steps:
        return "training has not begun"
    epoch = min(epochs, 1 + log.step * epochs // log.steps)
    told = f"epoch {epoch} of {epochs}, step {log.step} of {log.steps}"
    return f"{told}; last epoch: {log.epoch}" if log.epoch else told


def _why(run: RunState, progress: Progress) -> str:
    return f"{run.log.error} ({run.file})"


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
