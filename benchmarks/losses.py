"""The losses as a user of the peers writes them: from attention probabilities, all rows at once.

Without dropout the probabilities that a model returns are those before dropout.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


def attention_kl(student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
    """Equation 2 from probabilities `[batch, heads, tokens, tokens]`; mask `[batch, tokens]`."""
    log_student = student.clamp_min(torch.finfo(student.dtype).tiny).log()
    divergence = (torch.xlogy(teacher, teacher) - teacher * log_student).sum(dim=-1)
    rows = mask / mask.sum(dim=-1, keepdim=True)
    return (divergence * rows[:, None]).sum(dim=-1).mean()


def cls_cosine(student: Tensor, teacher: Tensor) -> Tensor:
    """Equation 3 from hidden states `[batch, tokens, hidden size]`."""
    return (1 - functional.cosine_similarity(student[:, 0], teacher[:, 0], dim=-1)).mean()


def soft_cross_entropy(student: Tensor, teacher: Tensor) -> Tensor:
    """First term of Equation 1 from logits `[batch, classes]`."""
    return -(teacher.softmax(dim=-1) * student.log_softmax(dim=-1)).sum(dim=-1).mean()


def distillation_loss(student: Any, teacher: Any, mask: Tensor, matched: tuple[int, ...]) -> Tensor:
    """Sum of the three losses; the internal ones are means over the student's layers.

    Args:
        student: what the model returned, with attentions and hidden states.
        teacher: likewise.
        mask: `[batch, tokens]`, 1 at real tokens.
        matched: one-based teacher layers, one for each of the student's.
    """
    loss = soft_cross_entropy(student.logits, teacher.logits)
    for layer, source in enumerate(matched, start=1):
        attentions = student.attentions[layer - 1], teacher.attentions[source - 1]
        states = student.hidden_states[layer], teacher.hidden_states[source]
        loss = loss + (attention_kl(*attentions, mask) + cls_cosine(*states)) / len(matched)
    return loss
