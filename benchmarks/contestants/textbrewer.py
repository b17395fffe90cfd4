"""TextBrewer's GeneralDistiller with the same losses, padded as its examples are."""

import logging
import tempfile
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from benchmarks.contestants.contestant import (
    LEARNING_RATE,
    MAX_GRAD_NORM,
    Contestant,
    CpuClock,
    NotMeasuredError,
    tensors,
)
from benchmarks.lengths import MAX_LENGTH
from benchmarks.losses import attention_kl, cls_cosine
from benchmarks.reference import LossAndGradients, gradients_of
from benchmarks.shapes import Shape, teacher_and_student
from benchmarks.workload import Workload

REQUESTED = {"output_attentions": True, "output_hidden_states": True}


class ClockedLoader:
    """Batches for one epoch; all are timed but the first and the last.

    In the first the optimizer makes its state, and after the last the model is saved.
    """

    def __init__(self, loader: DataLoader, clock: CpuClock) -> None:
        self.loader = loader
        self.clock = clock

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        for number, batch in enumerate(self.loader):
            if number == 1:
                self.clock.start()
            if number == len(self) - 1:
                self.clock.stop()
            yield batch


class TextBrewer(Contestant):
    """`GeneralDistiller`, padded to `MAX_LENGTH` tokens."""

    def __init__(self, workload: Workload) -> None:
        super().__init__(workload)
        self.library = _import()
        self.teacher, self.student = teacher_and_student(workload.shape, "eager")

    def train(self, passes: int) -> float:
        """Steps of one epoch; the first and the last, which are extra, are not timed."""
        batches, clock = self.workload.batches, CpuClock()
        rows = [*batches[0], *np.tile(batches.ravel(), passes), *batches[0]]
        examples = [tensors(self.workload, row, MAX_LENGTH) for row in rows]
        with tempfile.TemporaryDirectory() as folder:
            distiller = self._distiller(folder)
            self.teacher.eval()
            self.student.train()
            distiller.train(
                torch.optim.AdamW(self.student.parameters(), lr=LEARNING_RATE, fused=True),
                ClockedLoader(DataLoader(examples, self.workload.batch_size), clock),
                num_epochs=1,
                max_grad_norm=MAX_GRAD_NORM,
                **REQUESTED,
            )
        return clock.seconds / passes

    def loss_and_gradients(self, rows: npt.NDArray[np.int64]) -> LossAndGradients:
        """Of the distiller's step on a batch."""
        examples = [tensors(self.workload, row, MAX_LENGTH) for row in rows]
        batch = next(iter(DataLoader(examples, len(rows))))
        self.student.zero_grad(set_to_none=True)
        with tempfile.TemporaryDirectory() as folder:
            loss, _ = self._distiller(folder).train_on_batch(batch, REQUESTED)
        loss.backward()
        return LossAndGradients(loss.item(), gradients_of(self.student))

    def _distiller(self, folder: str) -> Any:
        training = self.library.TrainingConfig(output_dir=folder, device="cpu")
        distillation = self.library.DistillationConfig(
            temperature=1, intermediate_matches=_matches(self.workload.shape)
        )
        return self.library.GeneralDistiller(
            training, distillation, self.teacher, self.student, _adapt, _adapt
        )


def _import() -> ModuleType:
    """TextBrewer, knowing the two internal losses by name."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            import textbrewer
            from textbrewer.presets import register_new
    except ImportError as error:
        raise NotMeasuredError(f"TextBrewer cannot be imported ({error})") from error
    logging.getLogger("Distillation").setLevel(logging.WARNING)
    register_new("match_Loss", "attention_kl", attention_kl)
    register_new("match_Loss", "cls_cosine", _cls_cosine)
    return textbrewer


def _cls_cosine(student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
    """Equation 3; [CLS] is never padding."""
    return cls_cosine(student, teacher)


def _adapt(batch: dict[str, Tensor], outputs: Any) -> dict[str, Any]:
    return {
        "logits": outputs.logits,
        "attention": outputs.attentions,
        "hidden": outputs.hidden_states,
        "inputs_mask": batch["attention_mask"],
    }


def _matches(shape: Shape) -> list[dict[str, Any]]:
    """Attentions are counted from 0, hidden states from the embeddings at 0."""
    weight = 1 / shape.student_layers
    matches = []
    for student, teacher in enumerate(shape.matched, start=1):
        layers = {"layer_S": student, "layer_T": teacher, "weight": weight}
        below = {"layer_S": student - 1, "layer_T": teacher - 1, "weight": weight}
        matches.append({**layers, "feature": "hidden", "loss": "cls_cosine"})
        matches.append({**below, "feature": "attention", "loss": "attention_kl"})
    return matches
