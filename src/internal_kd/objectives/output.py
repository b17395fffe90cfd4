"""Equation 1: the losses on the output, with the teacher's soft labels and with the hard labels."""

import torch
from torch import Tensor
from torch.nn import functional


def soft_cross_entropy(
    student_logits: Tensor, teacher_logits: Tensor, temperature: float = 1.0
) -> Tensor:
    """First term of Equation 1, `-1/N sum_i p(y_i | x_i, theta_T) log(y_hat_i)`.

    With a temperature T both distributions are softened and the loss is scaled by T squared, so
    that its gradient keeps its size (Hinton et al. 2015); the paper names no temperature, which is
    T = 1.

    Args:
        student_logits: `[batch, classes]`.
        teacher_logits: `[batch, classes]`.
        temperature: positive.

    Returns:
        A scalar in nats, the mean over the batch.
    """
    targets = torch.softmax(teacher_logits.float() / temperature, dim=-1)
    log_predictions = torch.log_softmax(student_logits.float() / temperature, dim=-1)
    return -(targets * log_predictions).sum(dim=-1).mean() * temperature**2


def hard_cross_entropy(student_logits: Tensor, labels: Tensor) -> Tensor:
    """Second term of Equation 1 without its weight lambda, `-1/N sum_i y_i log(y_hat_i)`.

    Args:
        student_logits: `[batch, classes]`.
        labels: `[batch]`, class numbers.

    Returns:
        A scalar in nats, the mean over the batch.
    """
    return functional.cross_entropy(student_logits.float(), labels)
