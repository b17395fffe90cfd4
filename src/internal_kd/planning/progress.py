"""How far a study is: its runs by task and experiment, and the time that is left."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from internal_kd.planning.costs import Costs
from internal_kd.planning.jobs import Job
from internal_kd.planning.states import RunState, State, run_states


@dataclass(frozen=True)
class Progress:
    """How far a study is.

    Attributes:
        study: its name.
        runs: all trainings.
        others: the other jobs.
        seconds_left: of all jobs one after the other.
        basis: where that comes from.
    """

    study: str
    runs: Sequence[RunState]
    others: Sequence[Job]
    seconds_left: float
    basis: str

    def of(self, state: State) -> list[RunState]:
        """The runs in a state."""
        return [run for run in self.runs if run.state == state]

    def table(self) -> list[tuple[str, str, Counter[str]]]:
        """Task, experiment, and number of runs by state."""
        counts: dict[tuple[str, str], Counter[str]] = {}
        for state in self.runs:
            key = (state.run.task, state.run.experiment)
            counts.setdefault(key, Counter()).update([state.state])
        return [(*key, counts[key]) for key in sorted(counts)]

    @property
    def at_a_time(self) -> int:
        """Runs that are at work now, or one."""
        return max(1, len(self.of("running")))


def make_progress(jobs: Iterable[Job], costs: Costs, code: Mapping[str, str]) -> Progress:
    """How far the jobs of a study are.

    Args:
        jobs: of the study.
        costs: of the study.
        code: fingerprint of the code of an experiment's runs, by the experiment's name.
    """
    jobs = list(jobs)
    runs = run_states(jobs, costs, code)
    others = [job for job in jobs if not job.trains]
    left = sum(_seconds_left(run, costs) for run in runs if run.state != "done")
    left += sum(costs.of(job).seconds for job in others if not job.finished)
    return Progress(costs.study.name, runs, others, left, costs.basis())


def _seconds_left(run: RunState, costs: Costs) -> float:
    """A run's own estimate while it is running, and otherwise what the rest of it costs."""
    progress = run.progress
    if run.state == "running" and progress and progress.seconds_left is not None:
        return progress.seconds_left
    done = progress.share if progress and run.state in ("running", "stopped") else 0.0
    return costs.of(run.job).seconds * (1 - done)
