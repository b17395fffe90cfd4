"""From the settings and files of a student's run to its training."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import torch
from torch import nn

from internal_kd.distillation.checkpoints import Checkpoints
from internal_kd.distillation.experiment import make_objective_settings, make_schedule
from internal_kd.distillation.objective import (
    DistillationObjective,
    new_projections,
    signal_request,
)
from internal_kd.distillation.run import load_run_data, make_training
from internal_kd.distillation.signal_source import SignalOptions, TeacherOfSplit, signal_source
from internal_kd.distillation.signals import SignalRequest, SignalSource
from internal_kd.distillation.training import Training
from internal_kd.errors import UserError, as_user_error
from internal_kd.models.bert import Classifier, ClassifierConfig
from internal_kd.models.capture import FrozenTeacher
from internal_kd.models.layer_maps import read_layers
from internal_kd.models.layers import copy_head
from internal_kd.models.loading import (
    classifier_config,
    label_names,
    load_classifier,
    new_classifier,
)
from internal_kd.objectives.registry import features_read, obstacle
from internal_kd.specs.records import read_metrics
from internal_kd.specs.sizes import Sizes, misfits
from internal_kd.specs.students import StudentJob
from internal_kd.specs.training import ObjectiveSettings
from internal_kd.streams import Streams


class RunBuilder:
    """Initial student, data, teacher and training of one run.

    Args:
        job: what is to be trained.
        init: folder of the initial student.
        tokens: of the task.
        teacher: folder of the teacher's model; None where the experiment needs none.
        device: where everything is computed.
        signals: folder and budget of stored signals, and the fingerprint of the code; the rest of
            these options is the job's.
    """

    def __init__(
        self,
        job: StudentJob,
        init: Path,
        tokens: Path,
        teacher: Path | None,
        device: torch.device,
        signals: SignalOptions | None = None,
    ) -> None:
        self.job = job
        self.init = init
        self.teacher_folder = teacher
        self.device = device
        self.signal_options = signals or SignalOptions()
        self.streams = Streams("student", job.run.task, job.run.seed)
        self.data = load_run_data(tokens, job.run, job.selection, self.streams)

    @cached_property
    def flags(self) -> list[str]:
        """Remarks on the run's teacher: one that never learnt has nothing to teach.

        Raises:
            UserError: the metrics of the teacher cannot be read.
        """
        if not self.job.experiment.needs_teacher or self.teacher_folder is None:
            return []
        file = self.teacher_folder.parent / "metrics.json"
        with as_user_error(file, "not the metrics of a teacher", "make its run again"):
            return [f"teacher_{flag}" for flag in read_metrics(file).flags]

    @cached_property
    def signals(self) -> SignalSource | None:
        """Source of the teacher's signals; None where the losses read none."""
        settings = self.job.distillation.signals
        if settings is None or not self.job.experiment.needs_teacher:
            return None
        request = self._request()
        if request == SignalRequest():
            return None
        options = replace(self.signal_options, source=settings.source, attention=settings.attention)
        assert self.teacher_folder is not None
        teacher = TeacherOfSplit(
            lambda: self.teacher,
            self.teacher_config,
            self.teacher_folder,
            self.data.splits["train"],
            self.data.pad_token_id,
            self.device,
        )
        return signal_source(teacher, request, options)

    def training(self, checkpoints: Checkpoints | None) -> Training:
        """The training of a new student.

        Raises:
            UserError: student and teacher do not fit together, see `teacher_config` too.
        """
        experiment = self.job.experiment
        student = new_classifier(self.init, self.data.labels, self._head_seed(), self.device)
        if experiment.needs_teacher:
            self._check_sizes(student)
            check_attention(
                f"experiments.{self.job.run.experiment}",
                experiment.internal,
                student.config,
                self.teacher_config,
                self._matched,
            )
        if experiment.head_init == "teacher":
            copy_head(self.teacher.model, student)
        schedule = make_schedule(self.job)
        objective = self._objective
        projections = self._projections(objective, student)
        signals = self.signals
        self.__dict__.pop("teacher", None)  # what stored signals need no more
        return make_training(
            student,
            self.data,
            DistillationObjective(objective, signals, projections),
            schedule,
            self.job.training,
            self.streams,
            checkpoints,
            projections,
        )

    def _projections(self, objective: ObjectiveSettings, student: Classifier) -> nn.ModuleDict:
        """What the objectives learn beside the student."""
        if not objective.internal:
            return nn.ModuleDict()
        widths = student.config.hidden_size, self.teacher_config.hidden_size
        made = new_projections(objective, self.job.run.layers, widths, self.streams.projection)
        return made.to(self.device)

    def _head_seed(self) -> int:
        """Of the new classification layer; `teacher_start` draws that of the untrained teacher."""
        if self.job.experiment.head_init == "teacher_start":
            assert self.job.teacher_seed is not None
            return Streams("teacher", self.streams.task, self.job.teacher_seed).head
        return self.streams.head

    @cached_property
    def teacher_config(self) -> ClassifierConfig:
        """Of the teacher's model.

        Raises:
            UserError: there is none, or its classes are not those of the data.
        """
        if self.teacher_folder is None:
            raise UserError("--teacher is missing: the experiment's losses need a teacher")
        config = classifier_config(self.teacher_folder)
        if label_names(config) != self.data.labels:
            raise UserError(
                f"{self.teacher_folder}: the teacher's labels are "
                f"{', '.join(label_names(config))} but the data's are "
                f"{', '.join(self.data.labels)}; use a teacher trained on this task's label order"
            )
        return config

    @cached_property
    def teacher(self) -> FrozenTeacher:
        """The teacher itself."""
        assert self.teacher_folder is not None
        return FrozenTeacher(load_classifier(self.teacher_folder)).to(self.device)

    def _check_sizes(self, student: Classifier) -> None:
        teacher, own = self.teacher_config, student.config
        sizes = (Sizes(one.num_attention_heads, one.hidden_size) for one in (teacher, own))
        heads = self.job.distillation.relation_heads
        for key, sentence in misfits(self.job.experiment, heads, *sizes):
            raise UserError(f"experiments.{self.job.run.experiment}.{'.'.join(key)}: {sentence}")
        size = self.teacher_config.vocab_size
        if size != student.config.vocab_size:
            raise UserError(
                f"{self.teacher_folder}: the teacher's vocabulary has {size} entries but the "
                f"student's {student.config.vocab_size}; both must have the same tokenizer"
            )

    @cached_property
    def _matched(self) -> dict[int, int]:
        """The one-based teacher layer of each student layer that has one."""
        sizes = self.teacher_config.num_hidden_layers, self.job.run.layers
        return read_layers(self.job.experiment.layer_map, *sizes, self.streams.layer_map)

    def _request(self) -> SignalRequest:
        return signal_request(self._objective, self._matched)

    @cached_property
    def _objective(self) -> ObjectiveSettings:
        """Of the run's losses."""
        taught = bool(self.job.experiment.internal)
        return make_objective_settings(
            self.job, self.teacher_config.num_hidden_layers if taught else 0
        )


def check_attention(
    where: str,
    objectives: Iterable[str],
    student: ClassifierConfig,
    teacher: ClassifierConfig,
    matched: Mapping[int, int],
) -> None:
    """Refuse objectives that read what the layers of student or teacher do not have.

    Args:
        where: the config's key of the losses, for messages.
        objectives: between layers, by name.
        student: config of its model.
        teacher: config of its teacher's model.
        matched: the one-based teacher layer of each student layer that has one.

    Raises:
        UserError: features are missing, or attention to all tokens would be compared with attention
            to near ones, which has scores of minus infinity.
    """
    objectives = tuple(objectives)
    for name in objectives:
        for config in (student, teacher):
            found = obstacle(name, str(getattr(config, "model_type", None)))
            if found is not None:
                raise UserError(f"{where}.internal: {name} {found}")
    if not any("scores" in features_read(name) for name in objectives):
        return
    ours, theirs = (getattr(config, "layer_types", None) or () for config in (student, teacher))
    for layer, other in matched.items() if ours and theirs else ():
        if ours[layer - 1] != theirs[other - 1]:
            raise UserError(
                f"{where}.layer_map: layer {layer} of the student has {ours[layer - 1]} but the "
                f"teacher's layer {other} has {theirs[other - 1]}, so their attention cannot be "
                "compared; write a layer_map of layers of the same kind"
            )
