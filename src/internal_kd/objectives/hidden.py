"""Losses of hidden states: Equation 3 on [CLS], squared errors, and a contrastive loss."""

import torch
from torch import Tensor, nn
from torch.nn import functional

CONTRAST_TEMPERATURE = 0.07  # as in the code of Wang et al. (2023) and of Tian et al. (2020)


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


def hidden_mse(
    student_hidden: Tensor,
    teacher_hidden: Tensor,
    mask: Tensor | None = None,
    projection: nn.Module | None = None,
) -> Tensor:
    """Squared error of hidden states, the mean over all real tokens of the batch and their units.

    `1/(N d) sum_i ||W h_S,i - h_T,i||^2` over the batch's N real tokens and the teacher's width d
    (hidden-state transfer, Jiao et al. 2020, Equation 8); W is the identity where widths are equal.

    Args:
        student_hidden: `[batch, tokens, student's width]`.
        teacher_hidden: `[batch, tokens, teacher's width]`.
        mask: `[batch, tokens]`, 1 at real tokens; None if there is no padding.
        projection: W with a bias; None where widths are equal.

    Returns:
        A scalar.
    """
    errors = _squared_errors(student_hidden, teacher_hidden, projection)
    return errors.mean() if mask is None else (errors * mask).sum() / mask.sum()


def cls_mse(
    student_cls: Tensor, teacher_cls: Tensor, projection: nn.Module | None = None
) -> Tensor:
    """Squared error of [CLS] vectors, the mean over sentences and units; see `hidden_mse`.

    Args:
        student_cls: `[batch, student's width]`.
        teacher_cls: `[batch, teacher's width]`.
        projection: as in `hidden_mse`.

    Returns:
        A scalar.
    """
    return _squared_errors(student_cls, teacher_cls, projection).mean()


def combined_hidden_mse(
    student_hidden: Tensor,
    teacher_hidden: Tensor,
    projection: nn.Module,
    mask: Tensor | None = None,
) -> Tensor:
    """Squared error of hidden states and a learned combination of all layers of the teacher.

    `1/(N d) sum_i ||h_S,i - W [h_T,1,i; ...; h_T,n,i]||^2` over the batch's N real tokens, the
    student's width d and the teacher's n layers. With a W for each student layer this is `combine`
    of the code of Wang et al. (2023), which maps all states of the teacher to all of the student,
    but without the output of the embeddings.

    Args:
        student_hidden: `[batch, tokens, student's width]`.
        teacher_hidden: `[batch, teacher's layers, tokens, teacher's width]`.
        projection: W with a bias, see `linear_of_all_layers`.
        mask: `[batch, tokens]`, 1 at real tokens; None if there is no padding.

    Returns:
        A scalar.
    """
    return hidden_mse(student_hidden, projection(_side_by_side(teacher_hidden)), mask)


def combined_cls_mse(student_cls: Tensor, teacher_cls: Tensor, projection: nn.Module) -> Tensor:
    """Squared error of [CLS] vectors and a learned combination of all layers of the teacher.

    Args:
        student_cls: `[batch, student's width]`.
        teacher_cls: `[batch, teacher's layers, teacher's width]`.
        projection: as in `combined_hidden_mse`.

    Returns:
        A scalar.
    """
    return cls_mse(student_cls, projection(_side_by_side(teacher_cls)))


def _side_by_side(teacher: Tensor) -> Tensor:
    """From `[batch, layers, ..., width]` to `[batch, ..., layers * width]`."""
    return teacher.movedim(1, -2).flatten(-2)


def _squared_errors(student: Tensor, teacher: Tensor, projection: nn.Module | None) -> Tensor:
    """Mean over the units of `[..., width]`."""
    projected = student if projection is None else projection(student)
    return (projected - teacher).float().square().mean(dim=-1)


def cls_contrast(
    student_cls: Tensor, teacher_cls: Tensor, projection: nn.Module | None = None
) -> Tensor:
    """Contrastive loss of [CLS] vectors: a student's is nearest to its own teacher's in the batch.

    `-1/N sum_i log(exp(cos(h_S,i, h_T,i) / tau) / sum_j exp(cos(h_S,i, h_T,j) / tau))`, tau 0.07:
    InfoNCE (van den Oord et al. 2018) with the other sentences of the batch as negatives. The code
    of Wang et al. (2023) draws them from a memory of sentences with other labels instead.

    Args:
        student_cls: `[batch, student's width]`.
        teacher_cls: `[batch, teacher's width]`.
        projection: as in `hidden_mse`.

    Returns:
        A scalar in nats; 0 for a batch of one sentence.
    """
    projected = student_cls if projection is None else projection(student_cls)
    student, teacher = (functional.normalize(v.float(), dim=-1) for v in (projected, teacher_cls))
    own = torch.arange(len(student), device=student.device)
    return functional.cross_entropy(student @ teacher.T / CONTRAST_TEMPERATURE, own)


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


def linear_between_widths(student_width: int, teacher_width: int) -> nn.Module | None:
    """A linear map of hidden states where the widths differ; None where they are equal."""
    if student_width == teacher_width:
        return None
    return linear_projection(student_width, teacher_width)


def linear_of_all_layers(student_width: int, teacher_width: int, teacher_layers: int) -> nn.Module:
    """A linear map with bias of all the teacher's hidden states of a token, drawn as torch does."""
    return nn.Linear(teacher_layers * teacher_width, student_width)
