"""From a config, a nested dict, to a checked study."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast

from internal_kd.errors import UserError
from internal_kd.objectives.extensions import load_extensions
from internal_kd.specs.agnostic import AgnosticModel, AgnosticRun
from internal_kd.specs.config import BaseModel, StudyConfig, decode_config
from internal_kd.specs.experiments import Experiment, acting_fields
from internal_kd.specs.grids import Expansion, expand
from internal_kd.specs.runs import Run
from internal_kd.specs.schema import config_schema
from internal_kd.specs.task_definitions import TaskDefinition
from internal_kd.specs.tasks import Task
from internal_kd.study import agnostic_checks, analysis_checks, checks, files, student_checks
from internal_kd.study.draft import all_tasks, known_tasks, semantic_problems
from internal_kd.study.problems import Path as KeyPath
from internal_kd.study.problems import Problem, raise_problems
from internal_kd.study.schema import read_values, schema_problems

ALL_DATA = 100
BASES = BASE, STUDENT_BASE = "base", "student_base"
CHECKS = [
    *checks.CHECKS,
    *student_checks.CHECKS,
    *analysis_checks.CHECKS,
    *agnostic_checks.CHECKS,
]


@dataclass(frozen=True)
class Study:
    """A study, of a config that has been checked."""

    config: StudyConfig

    @cached_property
    def expansion(self) -> Expansion:
        """What the config's grids stand for."""
        return expand(self.config.grids)

    @cached_property
    def experiments(self) -> Mapping[str, Experiment]:
        """All experiments by name, in the config's order, and then those of grids."""
        return {**self.config.experiments, **self.expansion.experiments}

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.config.study

    @property
    def results(self) -> str:
        """Folder that everything generated goes to."""
        return self.config.results

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of all tasks: those of Table 1 and those that only a sweep has."""
        return tuple(all_tasks(self.config))

    @property
    def task_specs(self) -> Mapping[str, Task]:
        """All of them, in the same order."""
        known = known_tasks(self.config)
        return {name: known[name] for name in self.tasks}

    def definition(self, task: str) -> TaskDefinition | None:
        """How the config defines a task; None for one of GLUE."""
        return (self.config.task_definitions or {}).get(task)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of the students."""
        return self.config.seeds

    @property
    def teacher(self) -> Experiment:
        """The experiment that trains the teachers."""
        return next(experiment for experiment in self.experiments.values() if experiment.is_teacher)

    @property
    def agnostic(self) -> Mapping[str, AgnosticModel]:
        """The general students by name."""
        return self.config.agnostic or {}

    def agnostic_run(self, name: str, layers: int) -> AgnosticRun:
        """The training of a general student of so many layers."""
        return AgnosticRun(name, layers, self.agnostic[name].seed)

    @property
    def table1_experiments(self) -> tuple[Experiment, ...]:
        """Rows of Table 1."""
        names = self.config.table1.experiments or self._in_table_order()
        return tuple(self.experiments[name] for name in names)

    def _in_table_order(self) -> list[str]:
        """The teacher, then by name: a config's own order depends on how overlays were merged."""
        return [self.teacher.name, *sorted(set(self.config.experiments) - {self.teacher.name})]

    @property
    def table1_tasks(self) -> tuple[str, ...]:
        """Columns of Table 1."""
        return self.config.table1.tasks or self.config.tasks

    @property
    def standard(self) -> Experiment:
        """Standard KD, one of the two students compared."""
        return self.experiments[self.config.comparison.standard]

    @property
    def internal(self) -> Experiment:
        """Internal KD, the other one."""
        return self.experiments[self.config.comparison.internal]

    @property
    def base_layers(self) -> int:
        """Transformer layers of the base model and the teachers."""
        return self.config.base_model.layers

    def base_model(self, folder: str) -> BaseModel:
        """The pre-trained model in a folder of the results, `base` or `student_base`."""
        own = self.config.student.base_model
        return own if folder == STUDENT_BASE and own is not None else self.config.base_model

    @property
    def student_base(self) -> str:
        """The folder of the results with the pre-trained model that students start from."""
        return BASE if self.config.student.base_model is None else STUDENT_BASE

    @property
    def compares_attention(self) -> bool:
        """Whether students are known to have the teacher's width and heads."""
        teacher, student = (files.sizes_of(self.config, self.base_model(name)) for name in BASES)
        return self.student_base == BASE or (teacher is not None and teacher == student)

    @property
    def student_layers(self) -> int:
        """Transformer layers of Table 1's students."""
        return self.config.student.layers

    @property
    def teacher_seeds(self) -> tuple[int, ...]:
        """Seeds of a task's teachers: one for all students, or those of the students."""
        return self.config.teacher.seeds

    def teacher_runs(self, task: str) -> tuple[Run, ...]:
        """The task's teachers, on all data."""
        size = (self.base_layers, ALL_DATA)
        return tuple(Run(task, self.teacher.name, *size, seed) for seed in self.teacher_seeds)

    def teacher_of(self, student: Run) -> Run:
        """The run that a student learns from.

        A teacher of the same share of the data has the student's seed, which decides what is in it.
        """
        whole = self.config.sweeps.data_size.teacher == "all"
        percent = ALL_DATA if whole else student.percent
        shared = percent == ALL_DATA and len(self.teacher_seeds) == 1
        seed = self.teacher_seeds[0] if shared else student.seed
        return Run(student.task, self.teacher.name, self.base_layers, percent, seed)

    def baseline_of(self, experiment: Experiment) -> Experiment | None:
        """What an experiment is fairly compared with: standard KD from the same start.

        The student with the losses of `comparison.standard` and the experiment's own head, initial
        layers and training settings; None if the study has none.
        """
        keys = ("head_init", "init", "init_from", "training")
        start = {key: getattr(experiment, key) for key in keys}
        expected = acting_fields(replace(self.standard, **start))
        rows = (self.standard, *self.experiments.values())
        return next((row for row in rows if acting_fields(row) == expected), None)

    def runs_of(
        self,
        experiment: Experiment,
        task: str,
        layers: int | None = None,
        percent: int = ALL_DATA,
    ) -> tuple[Run, ...]:
        """One run per seed, of Table 1's layers and all data unless given; or the teachers'."""
        if experiment.is_teacher:
            return self.teacher_runs(task)
        layers = layers or self.student_layers
        return tuple(Run(task, experiment.name, layers, percent, seed) for seed in self.seeds)

    def runs_of_table1(self) -> tuple[Run, ...]:
        """All runs of Table 1, row by row."""
        return tuple(
            run
            for experiment in self.table1_experiments
            for task in self.table1_tasks
            for run in self.runs_of(experiment, task)
        )


def load(config: Mapping[str, object]) -> Study:
    """Check a config and make a study of it.

    Args:
        config: the nested dict that YAML files and ``--config`` were merged into.

    Raises:
        UserError: one line for each mistake: the path of its key, and what would be right.
    """
    schema = config_schema()
    values = cast(dict[str, object], read_values(config, schema))
    problems = schema_problems(values, schema)
    problems += extension_problems(values, {problem.path for problem in problems})
    problems += semantic_problems(values, {problem.path for problem in problems}, CHECKS)
    raise_problems(problems)
    return study_of(values)


def extension_problems(config: Mapping[str, object], faults: Collection[KeyPath]) -> list[Problem]:
    """What is wrong with the user's files of objectives, which are loaded here."""
    if any(fault[:1] == ("extensions",) for fault in faults):
        return []
    try:
        load_extensions(cast(Iterable[str], config["extensions"] or ()))
    except UserError as error:
        return [Problem(("extensions",), str(error).partition(": ")[2])]
    return []


def study_of(values: Mapping[str, object]) -> Study:
    """The study of a config that has been checked, such as one that a rule hands on."""
    config = decode_config(values)
    load_extensions(config.extensions or ())
    return Study(config)
