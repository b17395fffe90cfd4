"""Trainings of tiny BERTs without dropout, on any device."""

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from internal_kd.data.encoding import EncodedSplit
from internal_kd.distillation.checkpoints import Checkpoints
from internal_kd.distillation.objective import DistillationObjective, signal_request
from internal_kd.distillation.schedules import Schedule, make_phases
from internal_kd.distillation.signal_source import (
    SignalOptions,
    TeacherOfSplit,
    signal_source,
)
from internal_kd.distillation.signals import SignalSource
from internal_kd.distillation.training import Training, batches_of
from internal_kd.evaluation.trained import predict, scores_of
from internal_kd.models.bert import BertClassifier
from internal_kd.models.capture import FrozenTeacher
from internal_kd.models.loading import load_classifier
from internal_kd.specs.training import ObjectiveSettings, TrainingSettings
from internal_kd.streams import Streams
from tests.distillation.splits import tiny_split
from tests.models.tiny import tiny_model

CPU = torch.device("cpu")
OBJECTIVE = ObjectiveSettings({"attention_kl": 1.0, "cls_cosine": 1.0}, {"soft": 1.0, "hard": 0.5})
MATCHED = {1: 2, 2: 4}
TIMES = ("train_seconds", "evaluation_seconds")


@dataclass
class Pair:
    """A teacher of four layers, a student of two, and 18 examples for them."""

    teacher: FrozenTeacher
    student: BertClassifier
    device: torch.device
    split: EncodedSplit
    folder: Path

    def signals(self, source: str, attention: str = "fp32") -> SignalSource:
        """The teacher's signals for the examples."""
        options = SignalOptions(source, attention, 100.0, self.folder / "signals")
        teacher = TeacherOfSplit(
            lambda: self.teacher,
            self.teacher.model.config,
            self.folder / "teacher",
            self.split,
            0,
            self.device,
        )
        return signal_source(teacher, signal_request(OBJECTIVE, MATCHED), options)

    def training(
        self,
        kind: str = "simultaneous",
        source: str = "stored",
        *,
        updates: tuple[str, str] = ("all", "all"),
        checkpoints: Checkpoints | None = None,
        objective: ObjectiveSettings = OBJECTIVE,
        epochs: int = 3,
        **settings: Any,
    ) -> Training:
        """A training of a copy of the student, which may go through all stages in three epochs."""
        chosen = {"batch_size": 4, "learning_rate": 1e-3, "keep": "last", **settings}
        made, streams = TrainingSettings(epochs=epochs, **chosen), Streams("student", "rte", 0)
        return Training(
            copy.deepcopy(self.student),
            batches_of(self.split, made, streams, 0, self.device),
            DistillationObjective(objective, self.signals(source)),
            Schedule(make_phases(kind, {1: 1, 2: 1}, "end", *updates)),
            made,
            evaluate=lambda model: {
                "validation": scores_of(predict(model, self.split, 0, self.device))
            },
            selected_by=("validation", "accuracy"),
            streams=streams,
            checkpoints=checkpoints,
        )


def make_pair(folder: Path, device: torch.device = CPU, longest: int = 8) -> Pair:
    """Random models, the same ones in every call, by way of files in `folder`.

    Compiled batches of examples of up to 8 tokens have one width, those of up to 10 have two.
    """
    made = []
    for name, layers, seed in (("teacher", 4, 0), ("student", 2, 1)):
        model = tiny_model(layers=layers, seed=seed)
        for kind in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
            setattr(model.config, kind, 0.0)
        model.save_pretrained(folder / name)
        made.append(load_classifier(folder / name).to(device))
    split = tiny_split(26)
    chosen = np.flatnonzero(split.lengths <= longest)[:18]
    return Pair(FrozenTeacher(made[0]), made[1], device, split.select(chosen), folder)


def rows_of(training: Training) -> list[dict[str, Any]]:
    """The history of the training, without times."""
    history = training.run().history
    return [{name: v for name, v in row.items() if name not in TIMES} for row in history]
