"""Objectives of hidden states: Equation 3, the angle between [CLS] vectors, and what it reads.

The linear map is for objectives of users, whose students may be narrower than their teachers.
"""

from torch import Tensor, nn
from torch.nn import functional


def cls_cosine(teacher_cls: Tensor, student_cls: Tensor) -> Tensor:
    """Cosine loss `1 - cos(h_T, h_S)`, Equation 3.

    Args:
        teacher_cls: `[batch, hidden size]`.
        student_cls: `[batch, hidden size]`.

    Returns:
        A scalar between 0 and 2, the mean over the batch.
    """
    return cosine_distances(teacher_cls.float(), student_cls.float()).mean()


def cosine_distances(teacher_cls: Tensor, student_cls: Tensor) -> Tensor:
    """Equation 3 for each sentence: `1 - cos(h_T, h_S)` of [CLS] vectors `[batch, hidden size]`.

    Returns:
        `[batch]`, 0 to 2, in the precision of the vectors.
    """
    return 1.0 - functional.cosine_similarity(teacher_cls, student_cls, dim=-1)


def cls_target(cls: Tensor) -> dict[str, Tensor]:
    """The teacher's [CLS] vectors in fp32, `[batch, layers, hidden size]`."""
    return {"cls": cls.float()}


def hidden_target(hidden: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
    """The teacher's hidden states in fp32, `[batch, layers, tokens, hidden size]`.

    Args:
        hidden: of the same shape.
        mask: `[batch, tokens]`, 1 at real tokens; None if there is no padding.
    """
    states = hidden.float()
    return {"hidden": states if mask is None else states * mask[:, None, :, None]}


def linear_projection(student_width: int, teacher_width: int) -> nn.Module:
    """A linear map of a layer's hidden states with bias, drawn as torch does."""
    return nn.Linear(student_width, teacher_width)
