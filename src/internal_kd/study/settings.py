"""Which part of a study each rule gets: no more than can change its result.

Snakemake reruns a job when its settings change; a key that a job does not need must not be in them.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import cast

import msgspec

from internal_kd.objectives.registry import having_relation_heads, reading_temperature
from internal_kd.specs import agnostic
from internal_kd.specs.agnostic import AgnosticJob, AgnosticModel
from internal_kd.specs.config import training_on
from internal_kd.specs.experiments import Experiment, Init
from internal_kd.specs.jobs import SelectionSettings, TeacherJob, encode
from internal_kd.specs.runs import Run
from internal_kd.specs.students import DistillationSettings, StudentJob, acting
from internal_kd.specs.training import TrainingSettings, changed
from internal_kd.specs.values import Section
from internal_kd.study.config import BASE, STUDENT_BASE, Study
from internal_kd.study.files import (
    base_model_files,
    content_hashes,
    corpus_files,
    data_files,
    files_below,
)

Settings = dict[str, object]


def as_json(settings: Mapping[str, object]) -> str:
    """Settings as one line of JSON, the same for the same settings."""
    return json.dumps(settings, sort_keys=True, separators=(",", ":"))


def base_model_job(study: Study, folder: str = BASE) -> str:
    """The job that makes a base model; each source has its own, and so its own code."""
    source = study.base_model(folder).source
    return source if source in ("embedded", "pretrain") else "base"


def base_model_settings(study: Study, folder: str = BASE) -> Settings:
    """Where a base model comes from, or how it is pre-trained.

    Args:
        study: that has it.
        folder: of the results, `base` or `student_base`.
    """
    base = study.base_model(folder)
    if base.source == "embedded":
        return {"layers": base.layers}
    if base.source == "pretrain":
        return _plain(study.config.pretraining)
    length = {"max_length": study.config.data.max_length} if folder == STUDENT_BASE else {}
    return _plain(base) | _files(base_model_files(base)) | length


# Folder name of an initial student; a task's name has no hyphen.
INIT_NAME = (
    r"random-[^/-]+-seed\d+"
    r"|(?:teacher-[^/-]+-train\d+-seed\d+-)?(?:upper|lower|spaced|last|\d+(?:-\d+)*)"
)


def init_name(study: Study, run: Run) -> str:
    """Folder name of a run's initial student: all runs that start alike share it."""
    experiment = study.experiments[run.experiment]
    cut = cut_name(experiment.init, run.task, run.seed)
    if experiment.init_from != "teacher":
        return cut
    teacher = study.teacher_of(run)
    return f"teacher-{teacher.task}-train{teacher.percent}-seed{teacher.seed}-{cut}"


def init_teacher(study: Study, init: str) -> Run | None:
    """The teacher that an initial student is cut from, by its folder's name; None for a base."""
    if not init.startswith("teacher-"):
        return None
    _, task, share, seed, _ = init.split("-", 4)
    percent, number = int(share.removeprefix("train")), int(seed.removeprefix("seed"))
    return Run(task, study.teacher.name, study.base_layers, percent, number)


def cut_name(init: Init, task: str, seed: int) -> str:
    """The choice of layers, as part of a folder's name; a random start has task and seed."""
    if isinstance(init, tuple):
        return "-".join(map(str, init))
    return f"random-{task}-seed{seed}" if init == "random" else init


def agnostic_init_name(model: AgnosticModel) -> str:
    """Folder name of the initial student of a general one, which experiments may share."""
    return cut_name(model.init, agnostic.STREAM, model.seed)


def student_init_settings(init: str, layers: int) -> Settings:
    """How an initial student is cut from another model, read back from its folder's name."""
    if init.startswith("random-"):
        _, task, seed = init.split("-")
        return {"init": "random", "layers": layers, "task": task, "seed": int(seed[len("seed") :])}
    cut = init.split("-", 4)[4] if init.startswith("teacher-") else init
    listed = cut.replace("-", "").isdigit()
    chosen = [int(layer) for layer in cut.split("-")] if listed else cut
    return {"init": chosen, "layers": layers}


def task_data_settings(study: Study, task: str) -> Settings:
    """Where a task's examples come from and how long they may be."""
    data, definition = study.config.data, study.definition(task)
    spec = encode(study.task_specs[task].data)
    own = {"task": task, "spec": spec, "limit": data.limit_of(task)}
    if definition is not None:
        read: Settings = {key: encode(getattr(definition, key)) for key in ("files", "format")}
        hashes = {
            split: [*content_hashes(tuple(files_below(path))).values()]
            for split, path in definition.files.paths.items()
        }
        read |= {"label": definition.label}
        common = {"source": "files", "max_length": data.max_length, "own": read}
        return common | own | {"files": hashes}
    common = {"source": data.source, "path": data.path, "max_length": data.max_length}
    language = {"language_seed": data.language_seed} if data.source == "embedded" else {}
    return common | language | own | _files(data_files(data, task))


def corpus_settings(study: Study) -> Settings:
    """Where unlabelled text comes from and how it is cut; what another source reads is left out."""
    corpus = study.config.corpus
    keys = {
        "embedded": ("examples", "seed"),
        "files": ("path",),
        "dataset": ("path", "subset", "split", "column"),
    }
    chosen = ("source", "max_length", "pack", *keys[corpus.source])
    return {key: getattr(corpus, key) for key in chosen} | _files(corpus_files(corpus))


def agnostic_job(study: Study, name: str, layers: int) -> AgnosticJob:
    """How a general student is distilled."""
    model = study.agnostic[name]
    has_heads = having_relation_heads(model.internal)
    return AgnosticJob(
        layers=layers,
        seed=model.seed,
        layer_map=model.layer_map,
        internal=model.internal,
        layer_reduction=model.layer_reduction,
        relation_heads=study.config.distillation.relation_heads if has_heads else None,
        masking=replace(model.masking),  # so that every value is written out
        training=replace(model.training),
        held_out=study.config.corpus.held_out,
        extensions=model.extensions,
    )


def _plain(section: Section) -> Settings:
    """A section of the config as JSON has it."""
    return cast(Settings, msgspec.to_builtins(section))


def _files(paths: list[str]) -> Settings:
    """Hashes of the user's own files, if there are any; the hub's are named by a revision."""
    return {"files": content_hashes(tuple(paths))} if paths else {}


def attention_settings(run: Run) -> Settings:
    """Which student is compared with its teacher, and on what."""
    return {"run": asdict(run), "split": "validation"}


def attention_maps_settings(task: str, example: int) -> Settings:
    """Which example's attention is shown."""
    return {"task": task, "example": example, "split": "validation"}


def teacher_job(study: Study, run: Run) -> TeacherJob:
    """How a teacher is trained."""
    training = _keeping(study, run.task, training_on(study.config.teacher, run.task))
    return TeacherJob(run, training, _selection(study))


def student_job(study: Study, run: Run) -> StudentJob:
    """How a student is trained."""
    experiment = study.experiments[run.experiment]
    return StudentJob(
        run=run,
        experiment=acting(experiment),
        training=_student_training(study, experiment, run.task),
        distillation=_distillation(study, experiment),
        selection=_selection(study),
        teacher_seed=_teacher_seed(study, run),
        extensions=experiment.extensions,
    )


def _teacher_seed(study: Study, run: Run) -> int | None:
    """Seed of the teacher whose untrained head a student starts with; None where none does."""
    starts = study.experiments[run.experiment].head_init == "teacher_start"
    return study.teacher_of(run).seed if starts else None


def _student_training(study: Study, experiment: Experiment, task: str) -> TrainingSettings:
    """Training settings of a student: the study's, the task's, and the experiment's own."""
    restarts = experiment.has_stages and study.config.distillation.restart_schedule
    training = replace(training_on(study.config.student, task), restart_schedule=restarts)
    return _keeping(study, task, changed(training, experiment.training))


def _keeping(study: Study, task: str, training: TrainingSettings) -> TrainingSettings:
    """Training settings with the score that makes an epoch the best one written out."""
    if training.keep_metric is not None:
        return training
    return replace(training, keep_metric=study.task_specs[task].selection_metric)


def _selection(study: Study) -> SelectionSettings:
    """What the best epoch is chosen on; the share counts only where it is held out."""
    selection = study.config.selection
    return selection if selection.split == "holdout" else SelectionSettings()


def _distillation(study: Study, experiment: Experiment) -> DistillationSettings:
    """The common settings; those without effect on an experiment stand at a fixed value."""
    settings = study.config.distillation.of_jobs
    if not reading_temperature(experiment.output):
        settings = replace(settings, temperature=1.0)
    if not having_relation_heads(experiment.internal):
        settings = replace(settings, relation_heads=None)
    if not experiment.has_stages:
        settings = replace(settings, internal_fraction=1.0, cosine_threshold=0.0)
    return settings if experiment.reads_signals else replace(settings, signals=None)
