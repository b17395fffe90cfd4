"""Which runs each table, figure and statistic reads."""

from collections.abc import Iterable, Iterator

from internal_kd.specs.experiments import Experiment
from internal_kd.specs.runs import Run
from internal_kd.study.config import ALL_DATA, Study
from internal_kd.study.figures import Figure

Runs = tuple[Run, ...]


def candidates(study: Study) -> tuple[Experiment, ...]:
    """Rows of Table 1 with losses between layers (Exp3.0 to 3.6)."""
    return tuple(row for row in study.table1_experiments if row.internal)


def compared(study: Study) -> tuple[Experiment, Experiment]:
    """Standard and internal KD."""
    return study.standard, study.internal


def layer_counts(study: Study, task: str) -> tuple[int, ...]:
    """Depths of the students compared on a task, ascending."""
    sweep = study.config.sweeps.layers
    counts = sweep.counts if task in (sweep.tasks or study.table1_tasks) else ()
    return tuple(sorted({study.student_layers, *counts}))


def percents(study: Study, task: str) -> tuple[int, ...]:
    """Shares of the training split, in percent, that students compared on a task see, ascending."""
    sweep = study.config.sweeps.data_size
    fractions = sweep.fractions if task in (sweep.tasks or study.table1_tasks) else ()
    return tuple(sorted({ALL_DATA, *(round(100 * fraction) for fraction in fractions)}))


def layer_sweep_runs(study: Study, task: str) -> Runs:
    """The teachers, and the students compared at every depth."""
    students = (
        study.runs_of(experiment, task, layers)
        for experiment in compared(study)
        for layers in layer_counts(study, task)
    )
    return (*study.teacher_runs(task), *_all(students))


def size_sweep_runs(study: Study, task: str) -> Runs:
    """The students compared at every share of the data, and the teachers they have."""
    students = _all(
        study.runs_of(experiment, task, percent=percent)
        for experiment in compared(study)
        for percent in percents(study, task)
    )
    return _unique([*map(study.teacher_of, students), *students])


def comparison_runs(study: Study, tasks: Iterable[str]) -> Runs:
    """Teacher and both students of Table 1's size on each task."""
    experiments = (study.teacher, *compared(study))
    return _all(study.runs_of(experiment, task) for task in tasks for experiment in experiments)


def table2_runs(study: Study) -> Runs:
    """Teacher, standard KD and every internal KD."""
    experiments = (study.teacher, study.standard, *candidates(study))
    return _experiments_on_table1_tasks(study, experiments)


def significance_runs(study: Study) -> Runs:
    """Internal KDs, and the standard KD that each of them is compared with."""
    rows = (*compared(study), *candidates(study))
    baselines = filter(None, map(study.baseline_of, rows))
    return _experiments_on_table1_tasks(study, (*rows, *baselines))


def readings(study: Study) -> tuple[Experiment, ...]:
    """Experiments that are other readings of another one, in the order of those."""
    found = [row for row in study.experiments.values() if row.reading_of]
    return tuple(sorted(found, key=lambda row: (str(row.reading_of), row.name)))


def readings_runs(study: Study) -> Runs:
    """All readings, and what they are readings of."""
    rows = readings(study)
    taken = [study.experiments[str(row.reading_of)] for row in rows]
    return _experiments_on_table1_tasks(study, (*taken, *rows))


def claims_experiments(study: Study) -> tuple[Experiment, ...]:
    """Rows of Table 1, the students compared, and the standard KD of each internal KD's start."""
    rows = (*study.table1_experiments, *compared(study))
    baselines = [study.baseline_of(row) for row in rows if row.internal]
    known = {row.name: row for row in (*rows, *baselines) if row is not None}
    return tuple(known.values())


def claims_runs(study: Study) -> Runs:
    """Everything: Table 1, both sweeps, and what internal KDs are compared with."""
    sweeps = [layer_sweep_runs(study, task) for task in study.table1_tasks]
    sweeps += [size_sweep_runs(study, task) for task in size_sweep_tasks(study)]
    rows = _experiments_on_table1_tasks(study, claims_experiments(study))
    return _unique([*rows, *_all(sweeps)])


def size_sweep_tasks(study: Study) -> tuple[str, ...]:
    """Tasks on which students see parts of the data."""
    return tuple(task for task in study.tasks if len(percents(study, task)) > 1)


def layer_sweep_tasks(study: Study) -> tuple[str, ...]:
    """Tasks on which students have several depths."""
    return tuple(task for task in study.table1_tasks if len(layer_counts(study, task)) > 1)


def convergence_runs(study: Study, figure: Figure) -> Runs:
    """The teacher, and the figure's experiments."""
    return _all(study.runs_of(row, figure.task) for row in (study.teacher, *figure.experiments))


def attention_runs(study: Study) -> Runs:
    """Students whose attention is compared with the teacher's on every development example.

    None where they may have other heads or another width.
    """
    if not study.compares_attention:
        return ()
    return _experiments_on_table1_tasks(study, compared(study))


def shown_runs(study: Study, task: str) -> tuple[Run, Run, Run]:
    """Standard and internal KD of the first seed, and before them the teacher that both have.

    Single examples are shown of these.
    """
    standard, internal = (study.runs_of(row, task)[0] for row in compared(study))
    return study.teacher_of(internal), standard, internal


def _experiments_on_table1_tasks(study: Study, experiments: Iterable[Experiment]) -> Runs:
    return _unique(
        _all(study.runs_of(row, task) for row in experiments for task in study.table1_tasks)
    )


def _all(groups: Iterable[Runs]) -> Runs:
    return tuple(_flat(groups))


def _flat(groups: Iterable[Runs]) -> Iterator[Run]:
    for group in groups:
        yield from group


def _unique(runs: Iterable[Run]) -> Runs:
    return tuple(dict.fromkeys(runs))
