"""Stage `distill`: train a student, with or without a teacher (Experiments 1.1 to 3.6)."""

import json
import time
from argparse import ArgumentParser, Namespace
from functools import partial
from pathlib import Path
from typing import Any

from internal_kd.distillation.checkpoints import Checkpoints
from internal_kd.distillation.experiment import (
    make_objective_settings,
    make_schedule,
    make_training_settings,
    make_update_rule,
)
from internal_kd.distillation.objective import DistillationObjective, wanted_signals
from internal_kd.distillation.run import RunData, carry_out, load_run_data, train_run, write_run
from internal_kd.distillation.settings import ObjectiveSettings
from internal_kd.distillation.signals import SignalSource, signal_source
from internal_kd.errors import UserError
from internal_kd.models.classifier import Classifier
from internal_kd.models.head import copy_head
from internal_kd.models.layers import matched_teacher_layers
from internal_kd.models.loading import label_names, load_classifier, new_classifier
from internal_kd.models.teacher import FrozenTeacher
from internal_kd.runtime import select_device, use_threads
from internal_kd.stages.cli import run_stage


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--init", type=Path, required=True, help="folder of the initial student")
    parser.add_argument("--data", type=Path, required=True, help="tokens of the task")
    parser.add_argument("--teacher", type=Path, help="folder of the teacher's model")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--checkpoints", type=Path, help="folder to go on from if interrupted")


def main(args: Namespace) -> None:
    """Train the student; settings: run, experiment, training, distillation."""
    inputs = [path for path in (args.init, args.data, args.teacher) if path is not None]
    told = [args.settings, args.code]
    carry_out(args.checkpoints, args.out, told, inputs, partial(_distill, args))


def _distill(args: Namespace, checkpoints: Checkpoints | None) -> None:
    started = time.perf_counter()
    use_threads()
    run, device = args.settings["run"], select_device()
    experiment, distillation = args.settings["experiment"], args.settings["distillation"]
    data = load_run_data(args.data, run)
    student = new_classifier(args.init, data.labels, run["seed"], device)
    training = make_training_settings(args.settings["training"], distillation)
    result = train_run(
        student,
        data,
        _objective(args, student, data),
        make_schedule(experiment, distillation, run["layers"], training.epochs),
        training,
        make_update_rule(experiment),
        run["seed"],
        checkpoints,
    )
    write_run(
        args.out,
        student,
        data,
        result,
        settings=args.settings,
        code=args.code,
        tokenizer=args.init,
        flags=_teacher_flags(args.teacher) if experiment["needs_teacher"] else [],
        started=started,
    )


def _objective(args: Namespace, student: Classifier, data: RunData) -> DistillationObjective:
    """What the student minimises; where asked for, its head becomes the teacher's."""
    experiment, distillation = args.settings["experiment"], args.settings["distillation"]
    settings = make_objective_settings(experiment, distillation)
    if not experiment["needs_teacher"]:
        return DistillationObjective(settings, None)
    teacher = _load_teacher(args.teacher, student, data).to(student.device)
    if experiment["head_init"] == "teacher":
        copy_head(teacher.model, student)
    signals = _signals(teacher, student, data, settings, distillation["signals"])
    return DistillationObjective(settings, signals)


def _load_teacher(folder: Path | None, student: Classifier, data: RunData) -> FrozenTeacher:
    """The teacher, if its classes and its vocabulary are those of the data and the student."""
    if folder is None:
        raise UserError("--teacher is missing: the experiment's losses need a teacher")
    model = load_classifier(folder)
    if label_names(model) != data.labels:
        raise UserError(
            f"{folder}: the teacher's labels are {', '.join(label_names(model))} but the data's "
            f"are {', '.join(data.labels)}; use a teacher trained on this task's label order"
        )
    if model.config.vocab_size != student.config.vocab_size:
        raise UserError(
            f"{folder}: the teacher's vocabulary has {model.config.vocab_size} entries but the "
            f"student's {student.config.vocab_size}; both must come from the same base model"
        )
    return FrozenTeacher(model)


def _signals(
    teacher: FrozenTeacher,
    student: Classifier,
    data: RunData,
    objective: ObjectiveSettings,
    settings: dict[str, Any],
) -> SignalSource:
    matched = matched_teacher_layers(
        teacher.model.config.num_hidden_layers, student.config.num_hidden_layers
    )
    return signal_source(
        teacher,
        data.splits["train"],
        wanted_signals(objective, matched),
        source=settings["source"],
        budget_mb=settings["budget_mb"],
        attention=settings["attention"],
        pad_token_id=data.pad_token_id,
        device=student.device,
    )


def _teacher_flags(teacher: Path) -> list[str]:
    """What is remarkable about the teacher: one that never learnt has nothing to teach."""
    metrics = json.loads((teacher.parent / "metrics.json").read_text())
    return [f"teacher_{flag}" for flag in metrics["flags"]]


if __name__ == "__main__":
    run_stage("internal_kd.stages.distill", add_arguments, main)
