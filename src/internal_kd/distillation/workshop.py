"""What the students of one process have in common, and how the training of each is made of it."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import torch

from internal_kd.data.batches import LengthBucketedBatches, SharedBatches
from internal_kd.distillation.checkpoints import Checkpoints
from internal_kd.distillation.experiment import (
    make_objective_settings,
    make_schedule,
    make_update_rule,
)
from internal_kd.distillation.objective import DistillationObjective, wanted_signals
from internal_kd.distillation.run import load_run_data, make_training
from internal_kd.distillation.settings import TrainingSettings
from internal_kd.distillation.signal_pool import SignalPool
from internal_kd.distillation.signals import SignalSource, Wanted
from internal_kd.distillation.training import Training
from internal_kd.errors import UserError, told_about
from internal_kd.models.classifier import Classifier
from internal_kd.models.head import copy_head
from internal_kd.models.layers import matched_teacher_layers
from internal_kd.models.loading import label_names, load_classifier, new_classifier
from internal_kd.models.teacher import FrozenTeacher
from internal_kd.streams import Streams

Settings = dict[str, Any]


class Workshop:
    """Initial student, data and teacher of runs that differ in their experiment alone.

    Args:
        settings: of one of the runs.
        init: folder of the initial student.
        tokens: of the task.
        teacher: folder of the teacher's model, where a run needs one.
        device: where everything is computed.
    """

    def __init__(
        self,
        settings: Settings,
        init: Path,
        tokens: Path,
        teacher: Path | None,
        device: torch.device,
    ) -> None:
        self.init = init
        self.tokens = tokens
        self.teacher_folder = teacher
        self.device = device
        run = settings["run"]
        self.streams = Streams("student", run["task"], run["seed"])
        self.data = load_run_data(tokens, run, settings["selection"], self.streams)

    def inputs(self, settings: Settings) -> list[Path]:
        """Files and folders that a run reads."""
        teacher = self.teacher_folder if settings["experiment"]["needs_teacher"] else None
        return [path for path in (self.init, self.tokens, teacher) if path is not None]

    def flags(self, settings: Settings) -> list[str]:
        """What is remarkable about a run's teacher: one that never learnt has nothing to teach.

        Raises:
            UserError: the metrics of the teacher cannot be read.
        """
        return self._teacher_flags if settings["experiment"]["needs_teacher"] else []

    @cached_property
    def _teacher_flags(self) -> list[str]:
        return [] if self.teacher_folder is None else _flags_of(self.teacher_folder)

    def fitting(self, runs: Sequence[Settings]) -> list[bool]:
        """For each run whether the budget holds its signals beside those of the runs before it."""
        asking = self._asking(runs)
        fits = iter(self._pool(runs).admitted(asking) if asking else [])
        return [not run["experiment"]["needs_teacher"] or next(fits) for run in runs]

    def sources(self, runs: Sequence[Settings]) -> list[SignalSource | None]:
        """Where the teacher's signals come from, for each run that needs any."""
        asking = self._asking(runs)
        sources = iter(self._pool(runs).sources(asking) if asking else [])
        return [next(sources) if run["experiment"]["needs_teacher"] else None for run in runs]

    def batches(self, settings: Settings) -> SharedBatches:
        """Batches that several students take in step."""
        training, train = settings["training"], self.data.splits["train"]
        return SharedBatches(
            train,
            training["batch_size"],
            self.streams.order,
            self.data.pad_token_id,
            training["bucketing"],
            device=self.device,
            multiple=TrainingSettings(**training).multiple,
        )

    def training(
        self,
        settings: Settings,
        signals: SignalSource | None,
        checkpoints: Checkpoints | None,
        batches: LengthBucketedBatches | None = None,
        stream: IO[str] | None = None,
    ) -> Training:
        """The training of a new student; see `Training` for the arguments."""
        run, experiment = settings["run"], settings["experiment"]
        distillation = settings["distillation"]
        training = TrainingSettings(**settings["training"])
        student = new_classifier(
            self.init, self.data.labels, self._head_seed(settings), self.device
        )
        if experiment["needs_teacher"]:
            self._check_vocabulary(student)
        if experiment["head_init"] == "teacher":
            copy_head(self.teacher.model, student)
        return make_training(
            student,
            self.data,
            DistillationObjective(make_objective_settings(experiment, distillation), signals),
            make_schedule(experiment, distillation, run["layers"], training.epochs),
            training,
            make_update_rule(experiment),
            self.streams,
            checkpoints,
            batches=batches,
            stream=stream,
        )

    def _head_seed(self, settings: Settings) -> int:
        """Of the new classification layer; `teacher_start` draws that of the untrained teacher."""
        if settings["experiment"]["head_init"] == "teacher_start":
            return Streams("teacher", self.streams.task, settings["teacher_seed"]).head
        return self.streams.head

    @cached_property
    def teacher(self) -> FrozenTeacher:
        """The teacher, if its classes are those of the data."""
        if self.teacher_folder is None:
            raise UserError("--teacher is missing: the experiment's losses need a teacher")
        model = load_classifier(self.teacher_folder)
        if label_names(model) != self.data.labels:
            raise UserError(
                f"{self.teacher_folder}: the teacher's labels are {', '.join(label_names(model))} "
                f"but the data's are {', '.join(self.data.labels)}; use a teacher trained on this "
                "task's label order"
            )
        return FrozenTeacher(model).to(self.device)

    def _check_vocabulary(self, student: Classifier) -> None:
        size = self.teacher.model.config.vocab_size
        if size != student.config.vocab_size:
            raise UserError(
                f"{self.teacher_folder}: the teacher's vocabulary has {size} entries but the "
                f"student's {student.config.vocab_size}; both must come from the same base model"
            )

    def _asking(self, runs: Sequence[Settings]) -> list[Wanted]:
        """What the runs that need a teacher want from it."""
        return [self._wanted(run) for run in runs if run["experiment"]["needs_teacher"]]

    def _wanted(self, settings: Settings) -> Wanted:
        layers = self.teacher.model.config.num_hidden_layers
        matched = matched_teacher_layers(layers, settings["run"]["layers"])
        objective = make_objective_settings(settings["experiment"], settings["distillation"])
        return wanted_signals(objective, matched)

    def _pool(self, runs: Sequence[Settings]) -> SignalPool:
        told = [
            run["distillation"]["signals"] for run in runs if run["experiment"]["needs_teacher"]
        ]
        return SignalPool(
            self.teacher,
            self.data.splits["train"],
            source=told[0]["source"],
            budget_mb=told[0]["budget_mb"],
            attention=told[0]["attention"],
            pad_token_id=self.data.pad_token_id,
            device=self.device,
        )


def _flags_of(teacher: Path) -> list[str]:
    file = teacher.parent / "metrics.json"
    with told_about(file, "not the metrics of a teacher", "make its run again"):
        metrics = json.loads(file.read_text(encoding="utf-8"))
        return [f"teacher_{flag}" for flag in metrics["flags"]]
