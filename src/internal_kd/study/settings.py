"""Which part of a study each rule gets: no more than can change its result.

Snakemake reruns a job when its settings change; a key that a job does not need must not be in them.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from internal_kd.objectives.registry import reading_temperature
from internal_kd.specs.experiments import Experiment
from internal_kd.specs.jobs import SelectionSettings, TeacherJob, decode
from internal_kd.specs.runs import Run
from internal_kd.specs.students import DistillationSettings, StudentJob, acting
from internal_kd.specs.training import TrainingSettings
from internal_kd.study.config import Study
from internal_kd.study.draft import training_of
from internal_kd.study.files import base_model_files, data_files
from internal_kd.study.user_files import content_hashes

Settings = dict[str, Any]


def as_json(settings: Mapping[str, Any]) -> str:
    """Settings as one line of JSON, the same for the same settings."""
    return json.dumps(settings, sort_keys=True, separators=(",", ":"))


def base_model_stage(study: Study) -> str:
    """The stage that makes the base model; each source has its own, and so its own code."""
    source = str(study.config["base_model"]["source"])
    return source if source in ("embedded", "pretrain") else "base"


def base_model_settings(study: Study) -> Settings:
    """Where the base model comes from, or how it is pre-trained."""
    base = dict(study.config["base_model"])
    if base["source"] == "embedded":
        return {"layers": base["layers"]}
    if base["source"] == "pretrain":
        return dict(study.config["pretraining"])
    return base | _files(base_model_files(base))


def init_name(experiment: Experiment, task: str, seed: int) -> str:
    """Folder name of an initial student: all runs that start alike share it."""
    if isinstance(experiment.init, tuple):
        return "-".join(map(str, experiment.init))
    return f"random-{task}-seed{seed}" if experiment.init == "random" else experiment.init


def student_init_settings(init: str, layers: int) -> Settings:
    """How an initial student is cut from the base model, read back from its folder's name."""
    if init.startswith("random-"):
        _, task, seed = init.split("-")
        return {"init": "random", "layers": layers, "task": task, "seed": int(seed[len("seed") :])}
    listed = init.replace("-", "").isdigit()
    chosen = [int(layer) for layer in init.split("-")] if listed else init
    return {"init": chosen, "layers": layers}


def task_data_settings(study: Study, task: str) -> Settings:
    """Where a task's examples come from and how long they may be."""
    data = study.config["data"]
    settings = {key: data[key] for key in ("source", "path", "max_length")}
    if data["source"] == "embedded":
        settings["language_seed"] = data["language_seed"]
    own = {"task": task, "limit": (data["limit"] or {}).get(task)}
    return settings | own | _files(data_files(data, task))


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
    training = training_of(study.config, "teacher", run.task)
    return TeacherJob(run, decode(training, TrainingSettings), _selection(study))


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
    restarts = experiment.has_stages and study.config["distillation"]["restart_schedule"]
    settings = {
        **training_of(study.config, "student", task),
        "restart_schedule": restarts,
        **experiment.training,
    }
    return decode(settings, TrainingSettings)


def _selection(study: Study) -> SelectionSettings:
    """What the best epoch is chosen on; the share counts only where it is held out."""
    selection = decode(study.config["selection"], SelectionSettings)
    return selection if selection.split == "holdout" else SelectionSettings()


def _distillation(study: Study, experiment: Experiment) -> DistillationSettings:
    """The common settings; those without effect on an experiment stand at a fixed value.

    The budget of the signals is none of them: where signals are kept is no reason to train anew.
    """
    settings = decode(study.config["distillation"], DistillationSettings)
    if not reading_temperature(experiment.output):
        settings = replace(settings, temperature=1.0)
    if not experiment.has_stages:
        settings = replace(settings, internal_fraction=1.0, cosine_threshold=0.0)
    return settings if experiment.needs_teacher else replace(settings, signals=None)
