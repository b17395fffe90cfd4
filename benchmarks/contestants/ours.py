"""The project's own training."""

import shutil
import tempfile
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.contestants.contestant import (
    LEARNING_RATE,
    MAX_GRAD_NORM,
    Contestant,
    CpuClock,
    NotMeasuredError,
)
from benchmarks.examples import PAD
from benchmarks.machine import has_bf16_instructions
from benchmarks.reference import LossAndGradients, gradients_of
from benchmarks.shapes import teacher_and_student
from benchmarks.workload import Workload
from internal_kd.data.batches import assemble
from internal_kd.distillation.objective import DistillationObjective, signal_request
from internal_kd.distillation.schedules import Phase, Schedule, simultaneous
from internal_kd.distillation.signal_source import SignalOptions, TeacherOfSplit, signal_source
from internal_kd.distillation.signals import SignalSource
from internal_kd.distillation.training import Training, batches_of
from internal_kd.models.bert import Classifier
from internal_kd.models.capture import FrozenTeacher
from internal_kd.models.loading import load_classifier
from internal_kd.specs.training import ObjectiveSettings, TrainingSettings
from internal_kd.streams import Streams

LOSSES = ObjectiveSettings({"attention_kl": 1.0, "cls_cosine": 1.0}, {"soft": 1.0})


class ClockedSchedule(Schedule):
    """Starts a clock when an epoch begins."""

    clock: CpuClock | None = None

    @property
    def phase(self) -> Phase:
        """What acts in the coming epoch."""
        if self.clock is not None:
            self.clock.start()
        return super().phase


class Ours(Contestant):
    """`internal_kd.distillation.training.Training` with stored signals or a live teacher."""

    def __init__(
        self,
        workload: Workload,
        source: Literal["stored", "live"] = "stored",
        precision: Literal["fp32", "bf16"] = "fp32",
    ) -> None:
        super().__init__(workload)
        if precision == "bf16" and not has_bf16_instructions():
            raise NotMeasuredError("this CPU has no bf16 instructions")
        self.live_teacher = source == "live"
        self.exact = precision == "fp32"
        self.source, self.precision = source, precision
        self._temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self._temporary.name)
        self.teacher, self.student = _models(workload, self.folder)
        self.signals = self._signals()

    def prepare(self) -> float:
        """The teacher's one pass over the examples."""
        clock = CpuClock()
        clock.start()
        self.signals = self._signals()
        clock.stop()
        return 0.0 if self.live_teacher else clock.seconds

    def train(self, passes: int) -> float:
        """Epochs of a training after a first one that is not timed."""
        clock = CpuClock()
        schedule = ClockedSchedule(simultaneous(range(1, self.workload.shape.student_layers + 1)))

        def end_of_epoch(_: Classifier) -> dict[str, dict[str, float]]:
            if schedule.clock is not None:
                clock.stop()
            schedule.clock = clock
            return {"validation": {"accuracy": 0.0}}

        settings, streams = self.settings(passes + 1), Streams("student", "qqp", 0)
        training = Training(
            self.student,
            batches_of(self.workload.split, settings, streams, PAD, self.student.device),
            DistillationObjective(LOSSES, self.signals),
            schedule,
            settings,
            evaluate=end_of_epoch,
            selected_by=("validation", "accuracy"),
            streams=streams,
        )
        training.run()
        return clock.seconds / passes

    def loss_and_gradients(self, rows: npt.NDArray[np.int64]) -> LossAndGradients:
        """Of the objective, as the training minimises it."""
        layers = tuple(range(1, self.workload.shape.student_layers + 1))
        batch = assemble(self.workload.split, rows, PAD)
        self.student.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.precision == "bf16"):
            loss, _ = DistillationObjective(LOSSES, self.signals)(
                self.student, batch, Phase(layers, output=True)
            )
        loss.backward()
        return LossAndGradients(loss.item(), gradients_of(self.student))

    def settings(self, epochs: int) -> TrainingSettings:
        """Of a training of so many epochs."""
        return TrainingSettings(
            epochs=epochs,
            batch_size=self.workload.batch_size,
            learning_rate=LEARNING_RATE,
            max_grad_norm=MAX_GRAD_NORM,
            keep="last",
            precision=self.precision,
        )

    def _signals(self) -> SignalSource:
        shutil.rmtree(self.folder / "signals", ignore_errors=True)
        teacher = TeacherOfSplit(
            lambda: self.teacher,
            self.teacher.model.config,
            self.folder / "teacher",
            self.workload.split,
            PAD,
            torch.device("cpu"),
        )
        options = SignalOptions(self.source, folder=self.folder / "signals")
        matched = dict(enumerate(self.workload.shape.matched, start=1))
        return signal_source(teacher, signal_request(LOSSES, matched), options)


def _models(workload: Workload, folder: Path) -> tuple[FrozenTeacher, Classifier]:
    """The models in the project's form, by way of the files of Transformers' models."""
    loaded = []
    for name, model in zip(
        ("teacher", "student"), teacher_and_student(workload.shape, "eager"), strict=True
    ):
        model.save_pretrained(folder / name)
        loaded.append(load_classifier(folder / name))
    teacher, student = loaded
    return FrozenTeacher(teacher), student
