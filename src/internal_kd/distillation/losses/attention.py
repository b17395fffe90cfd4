"""Equation 2: the divergence between the attention of a teacher layer and of a student layer."""

import torch
from torch import Tensor


def attention_kl(
    teacher_probabilities: Tensor, student_scores: Tensor, mask: Tensor | None
) -> Tensor:
    """Kullback-Leibler divergence between attention rows, Equation 2 and `HeadLoss` of Algorithm 1.

    `1/L sum_i A_Ti log(A_Ti / A_Si)` for each head and sentence of L tokens, then the mean over
    heads and sentences. Padding is neither a key nor a row; L counts the real tokens of each
    sentence.

    Args:
        teacher_probabilities: `[batch, heads, tokens, tokens]`, rows over real tokens sum to one.
        student_scores: `[batch, heads, tokens, tokens]`, before softmax and before dropout.
        mask: `[batch, tokens]`, nonzero at real tokens; None if there is no padding.

    Returns:
        A scalar in nats.
    """
    teacher, scores = teacher_probabilities.float(), student_scores.float()
    if mask is None:
        return _divergence(teacher, scores).mean()
    real = mask.bool()
    keys = real[:, None, None, :]
    scores = scores.masked_fill(~keys, torch.finfo(torch.float32).min)
    rows = real[:, None, :] / real.sum(dim=-1)[:, None, None]
    return (_divergence(teacher.masked_fill(~keys, 0.0), scores) * rows).sum(dim=-1).mean()


def _divergence(teacher: Tensor, student_scores: Tensor) -> Tensor:
    """Kullback-Leibler divergence of each row, `[batch, heads, tokens]`."""
    log_student = torch.log_softmax(student_scores, dim=-1)
    return (torch.xlogy(teacher, teacher) - teacher * log_student).sum(dim=-1)
