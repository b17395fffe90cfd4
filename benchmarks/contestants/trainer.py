"""Hugging Face's Trainer with the losses in `compute_loss`, the teacher run in every step."""

import tempfile
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import (
    PreTrainedModel,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.utils import is_accelerate_available

from benchmarks.contestants.contestant import (
    LEARNING_RATE,
    MAX_GRAD_NORM,
    Contestant,
    CpuClock,
    NotMeasuredError,
    tensors,
)
from benchmarks.lengths import MAX_LENGTH
from benchmarks.losses import distillation_loss
from benchmarks.reference import LossAndGradients, gradients_of
from benchmarks.shapes import teacher_and_student
from benchmarks.workload import Workload

Example = dict[str, torch.Tensor]


class DistillationTrainer(Trainer):
    """A Trainer that runs a teacher."""

    def __init__(self, *, teacher: PreTrainedModel, matched: tuple[int, ...], **kwargs: Any):
        super().__init__(**kwargs)
        self.teacher = teacher
        self.matched = matched

    def compute_loss(
        self, model: PreTrainedModel, inputs: Example, *_: Any, **__: Any
    ) -> torch.Tensor:
        """Loss of one batch."""
        requested = {"output_attentions": True, "output_hidden_states": True}
        student = model(**inputs, **requested)
        with torch.no_grad():
            teacher = self.teacher(**inputs, **requested)
        return distillation_loss(student, teacher, inputs["attention_mask"], self.matched)


class Clocked(TrainerCallback):
    """Times all steps after the first, in which the optimizer makes its state."""

    def __init__(self) -> None:
        self.clock = CpuClock()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Start after the first step, stop after the last."""
        if state.global_step == state.max_steps:
            self.clock.stop()
        else:
            self.clock.start()


def pad_to_longest(examples: list[Example]) -> Example:
    """A batch padded to its longest example."""
    return {
        name: pad_sequence([example[name] for example in examples], batch_first=True)
        for name in examples[0]
    }


class HuggingFaceTrainer(Contestant):
    """Padded to `MAX_LENGTH` tokens, or with examples of similar length in a batch.

    The Trainer's `train_sampling_strategy="group_by_length"` sorts windows of 50 batches, from
    6,400 examples on. The workload's batches are such batches, so they are fed in their order.
    """

    def __init__(self, workload: Workload, *, grouped: bool) -> None:
        super().__init__(workload)
        if not is_accelerate_available():
            raise NotMeasuredError("accelerate, which the Trainer needs, is not installed")
        self.padded_to = 0 if grouped else MAX_LENGTH
        self.teacher, self.student = teacher_and_student(workload.shape, "eager")

    def train(self, passes: int) -> float:
        """Steps of one epoch after a first one that is not timed."""
        rows = [*self.workload.batches[0], *np.tile(self.workload.batches.ravel(), passes)]
        clocked = Clocked()
        self._trainer(rows, [clocked]).train()
        return clocked.clock.seconds / passes

    def loss_and_gradients(self, rows: npt.NDArray[np.int64]) -> LossAndGradients:
        """Of `compute_loss`."""
        trainer = self._trainer(rows, [])
        self.student.zero_grad(set_to_none=True)
        loss = trainer.compute_loss(self.student, pad_to_longest(trainer.train_dataset))
        loss.backward()
        return LossAndGradients(loss.item(), gradients_of(self.student))

    def _trainer(self, rows: Any, callbacks: list[TrainerCallback]) -> DistillationTrainer:
        arguments = TrainingArguments(
            output_dir=tempfile.gettempdir(),
            per_device_train_batch_size=self.workload.batch_size,
            num_train_epochs=1,
            learning_rate=LEARNING_RATE,
            max_grad_norm=MAX_GRAD_NORM,
            train_sampling_strategy="sequential",
            dataloader_pin_memory=False,
            use_cpu=True,
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        trainer = DistillationTrainer(
            teacher=self.teacher,
            matched=self.workload.shape.matched,
            model=self.student,
            args=arguments,
            train_dataset=[tensors(self.workload, row, self.padded_to) for row in rows],
            data_collator=pad_to_longest,
            callbacks=callbacks,
        )
        trainer.remove_callback(PrinterCallback)
        return trainer
