"""The head of a classifier: pooler and classification layer."""

import torch
from torch import nn

from internal_kd.errors import UserError
from internal_kd.models.bert import Classifier
from internal_kd.models.layers import head_parameters


def copy_head(teacher: nn.Module, student: Classifier) -> None:
    """Start the student's pooler and classifier from the teacher's (`head_init: teacher`).

    Raises:
        UserError: if teacher and student differ in the shape of their heads.
    """
    source = dict(teacher.named_parameters())
    target = dict(student.named_parameters())
    names = head_parameters(student)
    for name in names:
        if name not in source or source[name].shape != target[name].shape:
            raise UserError(
                f"head_init: teacher does not fit, {name} differs between teacher and student; "
                "use head_init: random"
            )
    with torch.no_grad():
        for name in names:
            target[name].copy_(source[name])
