"""Equation 3: the angle between the [CLS] vectors of a teacher layer and of a student layer."""

from torch import Tensor
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
