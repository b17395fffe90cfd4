"""What a schema cannot say about a config: names that exist, layers and epochs that fit."""

import math
import re
from collections.abc import Iterable, Mapping
from itertools import pairwise

from msgspec import UNSET, UnsetType

from internal_kd.models.layer_maps import distilled_layers
from internal_kd.objectives.registry import OBJECTIVES, OUTPUT_OBJECTIVES, obstacle
from internal_kd.specs.config import BaseModel, Data
from internal_kd.specs.experiments import ORIGINS, Experiment
from internal_kd.specs.pretraining import Stage
from internal_kd.study import files
from internal_kd.study.draft import (
    Checks,
    Draft,
    Found,
    all_tasks,
    epochs_of,
    internal_epochs,
    known_tasks,
    unknown,
)
from internal_kd.study.glue import GLUE
from internal_kd.study.problems import Path, Problem, dotted, nearest
from internal_kd.study.results_folder import input_problems, results_problems

CHECKS = Checks()
TASK_NAME = re.compile(r"[A-Za-z0-9_]+")
OWN_COLUMNS = ("split", "index", "idx", "label")  # of the file of examples, beside the texts
REPORTS = ("table1", "comparison", "figures")


@CHECKS.reading("study", "results")
def check_results(draft: Draft) -> Found:
    """Results are kept apart from sources and from other studies."""
    return results_problems(draft.config.results, draft.config.study)


@CHECKS.reading("results", "base_model", "data.source", "data.path", "student.base_model")
def check_inputs(draft: Draft) -> Found:
    """What the study reads is not what it writes."""
    config = draft.config
    own = config.student.base_model
    sections = (("base_model",), config.base_model), (("data",), config.data)
    students = () if own is None else ((("student", "base_model"), own),)
    for key, section in (*sections, *students):
        if section.source == "folder" and section.path is not None:
            yield from input_problems((*key, "path"), section.path, config.results)


@CHECKS.reading("tasks", "sweeps", "task_definitions")
def check_tasks(draft: Draft) -> Found:
    """Tasks exist."""
    known = known_tasks(draft.config)
    sweep = ("sweeps", "data_size", "tasks")
    yield from unknown(("tasks",), draft.config.tasks, known, "task")
    yield from unknown(sweep, draft.config.sweeps.data_size.tasks or (), known, "task")


@CHECKS.reading("tasks", "experiments", "table1")
def check_table1(draft: Draft) -> Found:
    """Rows and columns of Table 1 are experiments and tasks of the study."""
    table, tasks = draft.config.table1, draft.config.tasks
    rows = ("table1", "experiments")
    yield from unknown(rows, table.experiments or (), draft.names, "experiment")
    yield from unknown(("table1", "tasks"), table.tasks or (), tasks, "task")


@CHECKS.reading("experiments", "extensions")
def check_objectives(draft: Draft) -> Found:
    """Objectives exist, here or in an extension."""
    for experiment in draft.experiments:
        for key, known in (("internal", OBJECTIVES), ("output", OUTPUT_OBJECTIVES)):
            for name in getattr(experiment, key):
                if name not in known:
                    path = ("experiments", experiment.name, key, name)
                    yield Problem(path, f"unknown objective; {nearest(name, known)}")


@CHECKS.reading("data.source", "table1.paper_values")
def check_paper_values(draft: Draft) -> Found:
    """Scores on generated tasks are never put beside the paper's."""
    if draft.config.table1.paper_values and draft.config.data.source == "embedded":
        yield Problem(
            ("table1", "paper_values"),
            "scores on the embedded tasks cannot be compared with the paper's; write false",
        )


@CHECKS.reading(
    "teacher.per_task", "student.per_task", "data.limit", "resources", "task_definitions"
)
def check_task_keys(draft: Draft) -> Found:
    """Settings for single tasks name tasks, so that none is without effect by a slip of the pen."""
    by_task: dict[tuple[str, ...], Mapping[str, object] | UnsetType | None] = {
        ("teacher", "per_task"): draft.config.teacher.per_task,
        ("student", "per_task"): draft.config.student.per_task,
        ("data", "limit"): draft.config.data.limit,
    }
    for rule, needs in draft.config.resources.by_rule.items():
        by_task["resources", rule, "per_task"] = needs.per_task
    known = known_tasks(draft.config)
    for path, settings in by_task.items():
        for name in settings or {}:
            if name not in known:
                yield Problem((*path, name), f"unknown task; {nearest(name, known)}")


@CHECKS.reading("task_definitions")
def check_definitions(draft: Draft) -> Found:
    """Tasks that the config defines can be told apart, in paths and in tables."""
    for name, definition in (draft.config.task_definitions or {}).items():
        path = ("task_definitions", name)
        if name in GLUE:
            yield Problem(path, "is the name of a task of GLUE; choose another name")
        if not TASK_NAME.fullmatch(name):
            yield Problem(
                path, "a task's name has letters, digits and underscores only; choose such a name"
            )
        taken = [column for column in definition.text if column in OWN_COLUMNS]
        if taken or definition.label in definition.text:
            column = taken[0] if taken else definition.label
            yield Problem(
                (*path, "text"),
                f"a column of texts cannot be called '{column}'; rename it in the files",
            )
        if definition.labels is not None and len(definition.labels) < 2:
            yield Problem((*path, "labels"), "has fewer than two classes; list all of them")


@CHECKS.reading("task_definitions", "tasks", "sweeps")
def check_definition_files(draft: Draft) -> Found:
    """The files of tasks that the config defines are there and of a form that can be read."""
    for name, definition in (draft.config.task_definitions or {}).items():
        if name in all_tasks(draft.config):
            yield from files.definition_problems(name, definition)


@CHECKS.reading("base_model.source", "base_model.path", "base_model.revision")
def check_base_model(draft: Draft) -> Found:
    """Source and path of the base model belong together."""
    yield from base_model_problems(("base_model",), draft.config.base_model)


def base_model_problems(key: Path, base: BaseModel) -> Found:
    """Source and path of a base model that do not belong together."""
    yield from _source_and_path(key, base, path_needed=("folder", "hub"))
    if base.revision and base.source != "hub":
        yield Problem((*key, "revision"), "only the hub has revisions; write null")


@CHECKS.reading("data.source", "data.path")
def check_data(draft: Draft) -> Found:
    """Source and path of the data belong together."""
    yield from _source_and_path(("data",), draft.config.data, path_needed=("folder",))


def _source_and_path(key: Path, section: BaseModel | Data, path_needed: tuple[str, ...]) -> Found:
    source, path, name = section.source, section.path, dotted(key)
    if path is None and source in path_needed:
        where = "a folder" if source == "folder" else "its name on the hub"
        yield Problem((*key, "path"), f"is null, but {name}.source is {source}; give {where}")
    if path is not None and source in ("embedded", "pretrain"):
        yield Problem(
            (*key, "path"),
            f"is '{path}', but {name}.source is {source}, which reads no path; write null",
        )


@CHECKS.reading("base_model.source", "base_model.layers", "pretraining.stages")
def check_pretraining(draft: Draft) -> Found:
    """The last stage of pre-training has as many layers as the base model."""
    if draft.config.base_model.source not in ("embedded", "pretrain"):
        return
    made, layers = draft.config.pretraining.stages[-1].layers, draft.config.base_model.layers
    if made != layers:
        yield Problem(
            ("base_model", "layers"),
            f"is {layers}, but the last of pretraining.stages has {made} layers; write {made}",
        )


@CHECKS.reading("base_model.source", "data.max_length", "pretraining.max_length")
def check_max_length(draft: Draft) -> Found:
    """Texts fit into the positions of a base model that is made here."""
    length, positions = draft.config.data.max_length, draft.config.pretraining.max_length
    if draft.config.base_model.source in ("embedded", "pretrain") and length > positions:
        yield Problem(
            ("data", "max_length"),
            f"is {length}, but the base model has {positions} positions "
            f"(pretraining.max_length); write at most {positions}",
        )


@CHECKS.reading("pretraining.model")
def check_heads(draft: Draft) -> Found:
    """Attention heads share the width of a layer evenly."""
    shape = draft.config.pretraining.model
    if shape.hidden_size % shape.heads:
        yield Problem(
            ("pretraining", "model", "heads"),
            f"{shape.heads} heads do not divide hidden_size {shape.hidden_size} evenly; "
            "write a divisor of it",
        )


@CHECKS.reading("pretraining.masking")
def check_masking(draft: Draft) -> Found:
    """The shares of words that are masked or replaced add up to at most one."""
    masking = draft.config.pretraining.masking
    if masking.mask + masking.random > 1:
        yield Problem(
            ("pretraining", "masking", "random"),
            f"mask and random are {masking.mask} and {masking.random} of the words; "
            f"write at most {round(1 - masking.mask, 10)}",
        )


@CHECKS.reading("experiments")
def check_teacher_experiment(draft: Draft) -> Found:
    """There is one teacher per task, trained on the labels."""
    teachers = [experiment for experiment in draft.experiments if experiment.is_teacher]
    if len(teachers) != 1:
        names = ", ".join(sorted(experiment.name for experiment in teachers)) or "none"
        yield Problem(
            ("experiments",), f"exactly one experiment must have kind: teacher; found: {names}"
        )
    for experiment in teachers:
        if experiment.internal or experiment.output:
            yield Problem(
                ("experiments", experiment.name),
                "a teacher learns from the labels alone; remove internal and output",
            )


@CHECKS.reading("seeds", "teacher.seeds")
def check_teacher_seeds(draft: Draft) -> Found:
    """All students share a teacher, or each seed has its own."""
    seeds, own = draft.config.seeds, draft.config.teacher.seeds
    if len(own) > 1 and own != seeds:
        yield Problem(
            ("teacher", "seeds"),
            f"is {list(own)}, but the students' seeds are {list(seeds)}; write one seed, or the "
            "same list",
        )


@CHECKS.reading("experiments", "agnostic")
def check_starts(draft: Draft) -> Found:
    """Students start from a model that exists, and the teacher from the base model."""
    known = (*ORIGINS, *(draft.config.agnostic or ()))
    for experiment in draft.experiments:
        path = ("experiments", experiment.name)
        yield from unknown((*path, "init_from"), [experiment.init_from], known, "start")
        if experiment.is_teacher:
            yield from _teacher_start(experiment, path)
        elif experiment.init_from == "teacher":
            yield from _start_from_teacher(experiment, path)
        elif experiment.init_from in known[len(ORIGINS) :] and experiment.init != "upper":
            yield Problem(
                (*path, "init"),
                f"has no effect on the general student {experiment.init_from}, which is taken as "
                f"it is; remove it, or write it in agnostic.{experiment.init_from}",
            )


def _teacher_start(experiment: Experiment, path: Path) -> Found:
    for key, default in (("init_from", "base"), ("head_init", "random")):
        value = getattr(experiment, key)
        if value != default:
            yield Problem(
                (*path, key), f"'{value}' is for students, which have a teacher; write {default}"
            )


def _start_from_teacher(experiment: Experiment, path: Path) -> Found:
    if experiment.init == "random":
        yield Problem(
            (*path, "init"),
            "random copies no layer, so there is nothing to take from the teacher; write upper or "
            "another choice of layers, or init_from: base",
        )
    if experiment.head_init == "teacher_start":
        yield Problem(
            (*path, "head_init"),
            "teacher_start is the head of the untrained teacher, but with init_from: teacher the "
            "pooler is the trained one; write random or teacher",
        )


@CHECKS.reading("experiments")
def check_readings(draft: Draft) -> Found:
    """What an experiment is another reading of is another student."""
    students = [row.name for row in draft.students]
    for row in draft.experiments:
        path = ("experiments", row.name, "reading_of")
        if row.reading_of == row.name:
            yield Problem(path, "an experiment cannot be a reading of itself; name another one")
        elif row.reading_of is not None:
            yield from unknown(path, [row.reading_of], students, "student experiment")


@CHECKS.reading("experiments")
def check_losses(draft: Draft) -> Found:
    """Every student has a loss, and schedules over layers have losses to schedule."""
    for experiment in draft.students:
        path = ("experiments", experiment.name)
        if not experiment.output:
            yield Problem(
                (*path, "output"),
                "no output loss, so the classifier is never trained; add soft, hard or both",
            )
        if experiment.schedule != "simultaneous" and not experiment.internal:
            yield Problem(
                (*path, "internal"),
                f"a {experiment.schedule} schedule trains layer by layer but there is no "
                "internal loss; add attention_kl or cls_cosine, or write schedule: simultaneous",
            )


@CHECKS.reading("experiments")
def check_stage_keys(draft: Draft) -> Found:
    """Keys of schedules over layers are not set where they would have no effect."""
    defaults = {"output_from": "start", "internal_updates": "all", "output_updates": "all"}
    for experiment in draft.students:
        for key, default in defaults.items():
            value = getattr(experiment, key)
            if experiment.schedule == "simultaneous" and value != default:
                yield Problem(
                    ("experiments", experiment.name, key),
                    f"'{value}' needs a progressive, stacked or two_stage schedule; "
                    f"write {default}",
                )


@CHECKS.reading("experiments", "distillation.cosine_threshold")
def check_threshold(draft: Draft) -> Found:
    """A threshold on the cosine loss needs that loss."""
    if draft.config.distillation.cosine_threshold == 0:
        return
    for experiment in draft.students:
        if experiment.has_stages and "cls_cosine" not in experiment.internal:
            yield Problem(
                ("experiments", experiment.name, "internal"),
                "distillation.cosine_threshold needs cls_cosine; add it or write 0.0 there",
            )


@CHECKS.reading("student.layers", "base_model.layers")
def check_layers(draft: Draft) -> Found:
    """A student is not deeper than the base model."""
    layers, base = draft.config.student.layers, draft.config.base_model.layers
    if layers > base:
        yield Problem(
            ("student", "layers"),
            f"is {layers}, but the base model has only {base} layers; write at most {base}",
        )


@CHECKS.reading("experiments", "student.layers", "base_model.layers", "student.base_model")
def check_layer_lists(draft: Draft) -> Found:
    """An explicit choice of layers has one for each student layer."""
    layers, taught = draft.config.student.layers, draft.config.base_model.layers
    own = draft.config.student.base_model
    for experiment in draft.students:
        cut = taught if own is None or experiment.init_from == "teacher" else own.layers
        for key, chosen, base in (
            ("init", experiment.init, cut),
            ("layer_map", experiment.layer_map, taught),
        ):
            if isinstance(chosen, str) or (len(chosen) == layers and max(chosen) <= base):
                continue
            yield Problem(
                ("experiments", experiment.name, key),
                f"is {list(chosen)}; name {layers} layers (student.layers) between 1 and {base}",
            )


@CHECKS.reading("experiments", "extensions")
def check_combined(draft: Draft) -> Found:
    """Objectives that compare single layers do not learn from all of them at once."""
    for experiment in draft.students:
        if experiment.layer_map == "all":
            yield from combined_problems(("experiments", experiment.name), experiment.internal)


def combined_problems(path: Path, internal: Iterable[str]) -> Found:
    """A problem for each objective that compares single layers, below the key `path`."""
    for name in internal:
        if name in OBJECTIVES and OBJECTIVES[name].combined is None:
            able = [other for other, known in OBJECTIVES.items() if known.combined]
            yield Problem(
                (*path, "internal", name),
                "compares single layers, so it does not fit layer_map: all; write another "
                f"map, or one of {', '.join(sorted(able))}",
            )


@CHECKS.reading("experiments", "student", "tasks", *REPORTS)
def check_epochs(draft: Draft) -> Found:
    """There is an epoch for every layer's turn, and one for the output loss where it comes last."""
    for task in draft.config.tasks:
        for path, experiment in _one_for_each_key(draft, task):
            layers = _turns(draft, experiment)
            ends = experiment.output_from == "end"
            epochs, needed = epochs_of(draft.config, experiment, task), layers + ends
            if epochs < needed:
                yield Problem(
                    path,
                    f"{epochs} epochs are too few for {experiment.name}: one for each of "
                    f"{layers} layers{' and one for the output loss' if ends else ''}; "
                    f"write at least {needed}",
                )


def _one_for_each_key(draft: Draft, task: str) -> list[tuple[Path, Experiment]]:
    """The keys that set epochs of staged students on a task, each with one that needs most."""
    staged = sorted(_staged(draft), key=lambda experiment: experiment.output_from == "start")
    found = [(_epochs_path(draft, experiment, task), experiment) for experiment in staged]
    return list({path: (path, experiment) for path, experiment in reversed(found)}.values())


@CHECKS.reading("experiments", "student", "tasks", "distillation.internal_fraction", *REPORTS)
def check_internal_fraction(draft: Draft) -> Found:
    """At least one epoch remains for the output loss where it comes last."""
    fraction = draft.config.distillation.internal_fraction
    ends = [experiment for experiment in _staged(draft) if experiment.output_from == "end"]
    found = (
        (epochs_of(draft.config, experiment, task), experiment.name, _turns(draft, experiment))
        for experiment in ends
        for task in draft.config.tasks
    )
    full = (row for row in found if row[2] < row[0] <= internal_epochs(row[0], row[2], fraction))
    for epochs, name, _ in sorted(full)[:1]:
        yield Problem(
            ("distillation", "internal_fraction"),
            f"{fraction} of {epochs} epochs leave none for the output loss of {name}; "
            f"write at most {math.floor((epochs - 1) / epochs * 100) / 100}",
        )


def _turns(draft: Draft, experiment: Experiment) -> int:
    """How many of a student's layers have a turn of their own."""
    return len(distilled_layers(experiment.layer_map, draft.config.student.layers))


def _staged(draft: Draft) -> list[Experiment]:
    """The experiments whose layers have their turns, and which tables or figures show."""
    names = shown(draft)
    return [row for row in draft.students if row.has_stages and row.name in names]


def shown(draft: Draft) -> set[str]:
    """Names of experiments in tables and in figures of the study's tasks."""
    drawn = [figure for figure in draft.config.figures.values() if figure is not None]
    figures = [figure for figure in drawn if figure.task in draft.config.tasks]
    readings = [row for row in draft.students if row.reading_of]
    rows = draft.config.table1.experiments
    return {
        *draft.expansion.experiments,
        *(draft.names if rows is None else rows),
        *draft.config.comparison.names,
        *(name for figure in figures for name in figure.experiments or ()),
        *(name for row in readings for name in (row.name, str(row.reading_of))),
    }


def _epochs_path(draft: Draft, experiment: Experiment, task: str) -> Path:
    """The key that sets a student's epochs on a task."""
    if experiment.training.epochs:
        return ("experiments", experiment.name, "training", "epochs")
    own = (draft.config.student.per_task or {}).get(task)
    if own is not None and own.epochs:
        return ("student", "per_task", task, "epochs")
    return ("student", "training", "epochs")


@CHECKS.reading("plan.device", "plan.devices")
def check_device(draft: Draft) -> Found:
    """The device whose speed is assumed is one of those described."""
    plan = draft.config.plan
    yield from unknown(("plan", "device"), [plan.device], plan.devices, "device")


@CHECKS.reading("pretraining.stages")
def check_growth(draft: Draft) -> Found:
    """Each stage of pre-training doubles the one before as often as needed, with a method."""
    stages = draft.config.pretraining.stages
    for number, (before, stage) in enumerate(pairwise(stages), start=1):
        path = ("pretraining", "stages", number)
        if stage.layers not in {before.layers * 2**times for times in range(8)}:
            yield Problem(
                (*path, "layers"),
                f"{stage.layers} layers cannot grow from {before.layers} by doubling; "
                f"write {before.layers} or {2 * before.layers}",
            )
        elif stage.layers > before.layers:
            yield from _how_it_grows(path, stage)


def _how_it_grows(path: Path, stage: Stage) -> Found:
    if not stage.growth:
        yield Problem((*path, "growth"), "the stage is deeper; write stack or interleave")
    elif stage.growth == "interleave" and stage.faintness is UNSET:
        yield Problem((*path, "faintness"), "interleave needs it; write a number such as 0.05")


@CHECKS.reading("data.source", "data.path", "tasks", "sweeps")
def check_data_files(draft: Draft) -> Found:
    """Local data exist."""
    return files.data_problems(draft.config.data, all_tasks(draft.config))


@CHECKS.reading(
    "experiments", "extensions", "base_model.source", "base_model.path", "student.base_model"
)
def check_features(draft: Draft) -> Found:
    """Local base models have the features that objectives read."""
    own, base = draft.config.student.base_model, draft.config.base_model
    bases = (base,) if own is None else (base, own)
    families = dict.fromkeys(filter(None, map(files.base_model_family, bases)))
    for experiment in draft.experiments:
        for name in filter(OBJECTIVES.__contains__, experiment.internal):
            for found in filter(None, (obstacle(name, family) for family in families)):
                yield Problem(("experiments", experiment.name, "internal", name), found)


@CHECKS.reading("base_model", "data.max_length")
def check_base_model_files(draft: Draft) -> Found:
    """A local base model exists and matches the config."""
    return files.base_model_problems(draft.config.base_model, draft.config.data.max_length)
