"""Which part of a study each rule gets: no more than can change its result.

Snakemake reruns a job when its settings change; a key that a job does not need must not be in them.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from internal_kd.study.config import Study
from internal_kd.study.draft import training_of
from internal_kd.study.experiments import Experiment
from internal_kd.study.runs import Run

Settings = dict[str, Any]

EMBEDDED_NOTE = (
    "Embedded study: generated sentences and a small base model. "
    "The numbers are not the paper's and cannot be compared with them."
)


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
    return dict(study.config["pretraining"]) if base["source"] == "pretrain" else base


def init_name(experiment: Experiment, seed: int) -> str:
    """Folder name of an initial student: all runs that start alike share it."""
    if isinstance(experiment.init, tuple):
        return "-".join(map(str, experiment.init))
    return f"random-seed{seed}" if experiment.init == "random" else experiment.init


def student_init_settings(init: str, layers: int) -> Settings:
    """How an initial student is cut from the base model, read back from its folder's name."""
    name, _, seed = init.partition("-seed")
    listed = name.replace("-", "").isdigit()
    return {
        "init": [int(layer) for layer in name.split("-")] if listed else name,
        "layers": layers,
        "seed": int(seed or 0),
    }


def task_data_settings(study: Study, task: str) -> Settings:
    """Where a task's examples come from and how long they may be."""
    data = study.config["data"]
    settings = {key: data[key] for key in ("source", "path", "max_length")}
    if data["source"] == "embedded":
        settings["language_seed"] = data["language_seed"]
    return {**settings, "task": task, "limit": (data["limit"] or {}).get(task)}


def teacher_settings(study: Study, run: Run) -> Settings:
    """How a teacher is trained."""
    return {"run": asdict(run), "training": training_of(study.config, "teacher", run.task)}


def distill_settings(study: Study, run: Run) -> Settings:
    """How a student is trained."""
    experiment = study.experiments[run.experiment]
    return {
        "run": asdict(run),
        "experiment": _training_fields(experiment),
        "training": training_of(study.config, "student", run.task),
        "distillation": _distillation(study, experiment),
    }


def companions(study: Study, run: Run) -> list[Run]:
    """Students that can be trained in step with a run, from no other inputs than its own.

    They have its task, layers, percent and seed, hence its training settings and its batches; its
    initial student; and its teacher or none.
    """
    own = study.experiments[run.experiment]
    start = init_name(own, run.seed)
    return [
        replace(run, experiment=name)
        for name, other in study.experiments.items()
        if not other.is_teacher
        and name != run.experiment
        and init_name(other, run.seed) == start
        and (own.needs_teacher or not other.needs_teacher)
    ]


def _training_fields(experiment: Experiment) -> Settings:
    """The fields that act during training; the initial student comes as a folder."""
    fields = asdict(experiment)
    for key in ("name", "label", "paper_row", "kind", "init"):
        del fields[key]
    return {**fields, "needs_teacher": experiment.needs_teacher}


def _distillation(study: Study, experiment: Experiment) -> Settings:
    """The common settings; those without effect on an experiment stand at a fixed value."""
    settings = dict(study.config["distillation"])
    del settings["together"]  # changes no number
    if "soft" not in experiment.output:
        settings["temperature"] = 1.0
    if not experiment.has_stages:
        settings |= {"internal_fraction": 1.0, "cosine_threshold": 0.0, "restart_schedule": False}
    if not experiment.needs_teacher:
        settings["signals"] = None
    return settings


def note(study: Study) -> str:
    """What must be said below every table and figure."""
    return EMBEDDED_NOTE if study.config["data"]["source"] == "embedded" else ""


def table1_settings(study: Study) -> Settings:
    """Rows and columns of Table 1, and what is said below it."""
    rows = [
        {"name": row.name, "label": row.label, "paper_row": row.paper_row}
        for row in study.table1_experiments
    ]
    return {
        "study": study.name,
        "experiments": rows,
        "tasks": list(study.table1_tasks),
        "with_paper": study.config["table1"]["paper_values"],
        "note": note(study),
    }
