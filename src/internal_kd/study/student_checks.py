"""Checks of students that start from a pre-trained model of their own."""

from internal_kd.specs.config import StudentBase
from internal_kd.specs.sizes import misfits
from internal_kd.study import files
from internal_kd.study.checks import REPORTS, base_model_problems, shown
from internal_kd.study.draft import Checks, Draft, Found
from internal_kd.study.problems import Path, Problem

CHECKS = Checks()
KEY = ("student", "base_model")


@CHECKS.reading("student.base_model", "data.max_length")
def check_student_base(draft: Draft) -> Found:
    """Source and path belong together, and a local model exists and matches the config."""
    own = draft.config.student.base_model
    if own is None:
        return
    yield from base_model_problems(KEY, own)
    for problem in files.base_model_problems(own, draft.config.data.max_length):
        inside = problem.path[:1] == ("base_model",)
        yield Problem(("student", *problem.path), problem.sentence) if inside else problem


@CHECKS.reading("student.base_model", "student.layers", "sweeps.layers")
def check_student_depths(draft: Draft) -> Found:
    """Students are not deeper than the model that they start from."""
    own, layers = draft.config.student.base_model, draft.config.student.layers
    if own is None:
        return
    depths: dict[Path, int] = {("student", "layers"): layers}
    for number, count in enumerate(draft.config.sweeps.layers.counts):
        depths["sweeps", "layers", "counts", number] = count
    for path, depth in depths.items():
        if depth > own.layers:
            yield Problem(
                path,
                f"is {depth}, but student.base_model has only {own.layers} layers; write at most "
                f"{own.layers}",
            )


@CHECKS.reading("student.base_model", "base_model")
def check_vocabularies(draft: Draft) -> Found:
    """Students read the teacher's tokens."""
    own = draft.config.student.base_model
    if own is None:
        return
    folders = [files.local_folder(base) for base in (draft.config.base_model, own)]
    known = [None if folder is None else files.vocabulary_in(folder) for folder in folders]
    if None not in known and known[0] != known[1]:
        yield Problem(
            (*KEY, "path"),
            f"the tokenizer in '{own.path}' has another vocabulary than that of base_model; use "
            "a model with the same tokenizer",
        )


@CHECKS.reading(
    "experiments",
    "base_model",
    "student.base_model",
    "pretraining.model",
    "distillation.relation_heads",
    "tasks",
    *REPORTS,
)
def check_sizes(draft: Draft) -> Found:
    """What tables and figures show fits a student that differs from its teacher in its sizes."""
    own, names = draft.config.student.base_model, shown(draft)
    if own is None:
        return
    for experiment in draft.students:
        path = ("experiments", experiment.name)
        if experiment.name not in names:
            continue
        if experiment.head_init == "teacher_start":
            yield Problem(
                (*path, "head_init"),
                "teacher_start is a head above base_model, but students start from "
                "student.base_model; write random",
            )
        for key, sentence in _misfits(draft, own, experiment.name):
            yield Problem((*path, *key), sentence)


def _misfits(draft: Draft, own: StudentBase, name: str) -> list[tuple[tuple[str, ...], str]]:
    config = draft.config
    teacher, student = (files.sizes_of(config, base) for base in (config.base_model, own))
    if teacher is None or student is None:
        return []
    experiment = config.experiments[name]
    return list(misfits(experiment, config.distillation.relation_heads, teacher, student))
