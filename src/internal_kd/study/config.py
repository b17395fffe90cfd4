"""From a config, a nested dict, to a checked study."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from internal_kd.study.checks import semantic_problems
from internal_kd.study.experiments import Experiment, make_experiment
from internal_kd.study.problems import raise_problems
from internal_kd.study.runs import Run
from internal_kd.study.schema import read_schema, read_texts, schema_problems

ALL_DATA = 100


@dataclass(frozen=True)
class Study:
    """A checked config.

    Attributes:
        config: the config it was made from, every key present.
        experiments: all experiments by name, in the config's order.
    """

    config: Mapping[str, Any]
    experiments: Mapping[str, Experiment]

    @property
    def name(self) -> str:
        """Name of the study."""
        return str(self.config["study"])

    @property
    def results(self) -> str:
        """Folder that everything generated goes to."""
        return str(self.config["results"])

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks."""
        return tuple(self.config["tasks"])

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of the students."""
        return tuple(self.config["seeds"])

    @property
    def teacher(self) -> Experiment:
        """The experiment that trains the teachers."""
        return next(experiment for experiment in self.experiments.values() if experiment.is_teacher)

    @property
    def table1_experiments(self) -> tuple[Experiment, ...]:
        """Rows of Table 1."""
        names = self.config["table1"]["experiments"] or self._in_table_order()
        return tuple(self.experiments[name] for name in names)

    def _in_table_order(self) -> list[str]:
        """The teacher, then by name: a config's own order depends on how overlays were merged."""
        return [self.teacher.name, *sorted(set(self.experiments) - {self.teacher.name})]

    @property
    def table1_tasks(self) -> tuple[str, ...]:
        """Columns of Table 1."""
        return tuple(self.config["table1"]["tasks"] or self.tasks)

    def teacher_run(self, task: str) -> Run:
        """The run that all students of a task learn from: on all data, with the teacher's seed."""
        layers, seed = self.config["base_model"]["layers"], self.config["teacher"]["seed"]
        return Run(task, self.teacher.name, layers, ALL_DATA, seed)

    def runs_of(self, experiment: Experiment, task: str) -> tuple[Run, ...]:
        """The runs behind one cell of Table 1: one per seed, or the teacher's one."""
        if experiment.is_teacher:
            return (self.teacher_run(task),)
        layers = self.config["student"]["layers"]
        return tuple(Run(task, experiment.name, layers, ALL_DATA, seed) for seed in self.seeds)

    def runs_of_table1(self) -> tuple[Run, ...]:
        """All runs of Table 1, row by row."""
        return tuple(
            run
            for experiment in self.table1_experiments
            for task in self.table1_tasks
            for run in self.runs_of(experiment, task)
        )


def load(config: Mapping[str, Any], schema_file: Path) -> Study:
    """Check a config and make a study of it.

    Args:
        config: the nested dict that YAML files and ``--config`` were merged into.
        schema_file: the JSON Schema of configs.

    Raises:
        UserError: one line for each mistake: the path of its key, and what would be right.
    """
    schema = read_schema(schema_file)
    config = read_texts(config, schema, schema)
    problems = schema_problems(config, schema)
    problems += semantic_problems(config, {problem.path for problem in problems})
    raise_problems(problems)
    experiments = {
        name: make_experiment(name, fields) for name, fields in config["experiments"].items()
    }
    return Study(config, experiments)
