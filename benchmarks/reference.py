"""Loss and gradients in double precision, sentence by sentence and without padding.

Everything that is compared has to agree with them; it shares no code with what is compared.
"""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import PreTrainedModel

from benchmarks.shapes import teacher_and_student
from benchmarks.workload import Workload


@dataclass(frozen=True)
class LossAndGradients:
    """Loss of a batch and its gradients by the names of the student's parameters."""

    loss: float
    gradients: dict[str, Tensor]


def reference(workload: Workload, rows: npt.NDArray[np.int64]) -> LossAndGradients:
    """Loss and gradients of the batch that `rows` [batch] of the workload make."""
    teacher, student = teacher_and_student(workload.shape, "eager")
    teacher, student = copy.deepcopy(teacher).double(), copy.deepcopy(student).double()
    total = torch.zeros((), dtype=torch.float64)
    for row in rows:
        total = total + _sentence_loss(teacher, student, workload, int(row)) / len(rows)
    total.backward()
    return LossAndGradients(total.item(), gradients_of(student))


def gradients_of(model: PreTrainedModel) -> dict[str, Tensor]:
    """Copies of the gradients by the names of the parameters."""
    named = model.named_parameters()
    return {name: p.grad.double().clone() for name, p in named if p.grad is not None}


def _sentence_loss(
    teacher: PreTrainedModel, student: PreTrainedModel, workload: Workload, row: int
) -> Tensor:
    split, matched = workload.split, workload.shape.matched
    tokens = slice(split.offsets[row], split.offsets[row + 1])
    inputs = {
        "input_ids": torch.from_numpy(split.input_ids[tokens].astype(np.int64))[None],
        "token_type_ids": torch.from_numpy(split.token_type_ids[tokens].astype(np.int64))[None],
    }
    requested = {"output_attentions": True, "output_hidden_states": True}
    with torch.no_grad():
        taught = teacher(**inputs, **requested)
    answered = student(**inputs, **requested)
    layers = [_layer_loss(taught, answered, k, m) for k, m in enumerate(matched, start=1)]
    soft = -(taught.logits.softmax(-1) * answered.logits.log_softmax(-1)).sum()
    return soft + torch.stack(layers).mean()


def _layer_loss(teacher: Any, student: Any, layer: int, matched: int) -> Tensor:
    p, q = teacher.attentions[matched - 1][0], student.attentions[layer - 1][0]
    heads, length, _ = p.shape
    divergence = (p * (p / q).log()).sum() / (heads * length)
    h_t, h_s = teacher.hidden_states[matched][0, 0], student.hidden_states[layer][0, 0]
    return divergence + 1 - (h_t @ h_s) / (h_t.norm() * h_s.norm())
