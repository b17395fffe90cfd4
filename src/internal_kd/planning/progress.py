"""How far a study is: its runs by task and experiment, and the time that is left."""

from collections import Counter
from collections.abc import Iterable, Sequence
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
        epochs: of each training, by name of the run.
        seconds_left: of all jobs one after the other.
        basis: where that comes from.
    """

    study: str
    runs: Sequence[RunState]
    others: Sequence[Job]
    epochs: dict[str, int]
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


def make_progress(jobs: Iterable[Job], costs: Costs) -> Progress:
    """Look at the jobs of a study."""
    jobs = list(jobs)
    runs = run_states(jobs, costs.results)
    others = [job for job in jobs if not job.trains]
    left = sum(_seconds_left(run, costs) for run in runs if run.state != "done")
    left += sum(costs.of(job).seconds for job in others if not job.finished)
    return Progress(costs.study.name, runs, others, _epochs(runs, costs), left, costs.basis())


def _seconds_left(run: RunState, costs: Costs) -> float:
    """What a run itself says while it is at work, and otherwise what the rest of it costs."""
    if run.state == "running" and run.log.seconds_left is not None:
        return run.log.seconds_left
    kept = run.state in ("running", "stopped")
    return costs.of(run.job).seconds * (1 - run.log.share * kept)


def _epochs(runs: Sequence[RunState], costs: Costs) -> dict[str, int]:
    return {run.run.name: costs.training_job(run.run).training.epochs for run in runs}
