"""Losses of attention: Equation 2 on probabilities, and the squared error of scores."""

import torch
from torch import Tensor

from internal_kd.models.features import probabilities


def attention_kl(
    teacher_attention: Tensor,
    student_scores: Tensor,
    lengths: Tensor | None = None,
    teacher_entropy: Tensor | None = None,
) -> Tensor:
    """Kullback-Leibler divergence between attention rows, Equation 2 and `HeadLoss` of Algorithm 1.

    `1/L sum_i A_Ti log(A_Ti / A_Si)` for each head and sentence of L tokens, then the mean over
    heads and sentences. Padding is neither a key nor a row. The part of the teacher alone is a
    constant of the training, so it is computed as cross-entropy minus the teacher's entropy.

    Args:
        teacher_attention: probabilities, `[batch, heads, tokens, tokens]`, rows over real tokens
            sum to one, zero in columns and rows of padding.
        student_scores: `[batch, heads, tokens, tokens]`, before softmax and before dropout, the
            lowest number in columns of padding.
        lengths: `[batch]`, real tokens of each sentence; None if there is no padding.
        teacher_entropy: `[batch]`, as `attention_entropy` gives it; None to compute it here.

    Returns:
        A scalar in nats.
    """
    teacher = teacher_attention.float()
    if teacher_entropy is None:
        teacher_entropy = attention_entropy(teacher, lengths)
    log_student = torch.log_softmax(student_scores.float(), dim=-1)
    cross_entropy = -_mean_over_rows((teacher * log_student).sum(dim=-1), lengths)
    return (cross_entropy - teacher_entropy).mean().float()


def attention_mse(
    teacher_scores: Tensor, student_scores: Tensor, mask: Tensor | None = None
) -> Tensor:
    """Squared error of attention scores before softmax (Jiao et al. 2020, Equation 7).

    `1/(H L^2) sum_h sum_ij (s_T,hij - s_S,hij)^2` for a sentence of L tokens and H heads, then the
    mean over sentences. Padding is neither a key nor a row.

    Args:
        teacher_scores: `[batch, heads, tokens, tokens]`.
        student_scores: the same of the student; what stands at padding does not matter.
        mask: `[batch, tokens]`, 1 at real tokens; None if there is no padding.

    Returns:
        A scalar.
    """
    if mask is None:
        return (student_scores - teacher_scores).float().square().mean()
    real = mask.bool()
    pairs = real[:, None, :, None] & real[:, None, None, :]
    errors = torch.where(pairs, student_scores - teacher_scores, 0.0).float().square()
    of_sentence = errors.sum(dim=(1, 2, 3)) / real.sum(dim=-1).square()
    return of_sentence.mean() / student_scores.shape[1]


def attention_kl_of_heads(teacher_scores: Tensor, student_scores: Tensor, mask: Tensor) -> Tensor:
    """Equation 2 for each sentence and head, term by term, to measure distances with.

    Summed over keys, the mean over the rows of the sentence; padding is neither a key nor a row.
    The mean over heads and sentences is `attention_kl`, which is made for training.

    Args:
        teacher_scores: `[batch, heads, tokens, tokens]`, before softmax and before dropout.
        student_scores: the same of the student.
        mask: `[batch, tokens]`, nonzero at real tokens.

    Returns:
        `[batch, heads]` in nats, fp32.
    """
    real = mask.bool()
    padding = ~real[:, None, None, :]
    lowest = torch.finfo(torch.float32).min
    log_teacher, log_student = (
        torch.log_softmax(scores.float().masked_fill(padding, lowest), dim=-1)
        for scores in (teacher_scores, student_scores)
    )
    terms = log_teacher.exp() * (log_teacher - log_student)
    divergence = terms.masked_fill(padding, 0.0).sum(dim=-1)
    rows = real[:, None, :] / real.sum(dim=-1)[:, None, None]
    return (divergence * rows).sum(dim=-1)


def attention_target(scores: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
    """The teacher's attention probabilities, zero in columns and rows of padding.

    Args:
        scores: `[batch, layers, heads, tokens, tokens]`, before softmax and before dropout.
        mask: `[batch, tokens]`, 1 at real tokens; None if there is no padding.
    """
    attention = probabilities(scores)
    if mask is not None:
        attention *= mask[:, None, None, :, None]
    return {"attention": attention}


def scores_target(scores: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
    """The teacher's attention scores in fp32, zero in columns and rows of padding.

    Args:
        scores: `[batch, layers, heads, tokens, tokens]`, before softmax and before dropout.
        mask: `[batch, tokens]`, 1 at real tokens; None if there is no padding.
    """
    if mask is None:
        return {"scores": scores.float()}
    real = mask.bool()
    pairs = real[:, None, None, :, None] & real[:, None, None, None, :]
    return {"scores": torch.where(pairs, scores.float(), 0.0)}


def entropy_target(attention: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
    """Entropy of the teacher's attention, see `attention_entropy`: `[batch, layers]`."""
    lengths = None if mask is None else mask.sum(dim=-1)[:, None]
    return {"entropy": attention_entropy(attention, lengths)}


def attention_entropy(probabilities: Tensor, lengths: Tensor | None = None) -> Tensor:
    """Entropy of attention rows, the mean over real rows and heads of each sentence.

    Args:
        probabilities: `[..., heads, tokens, tokens]`, zero in columns and rows of padding.
        lengths: real tokens of each sentence, of the shape that is returned or one that broadcasts
            to it; None if there is no padding.

    Returns:
        `[...]` in nats, in double precision: a divergence is a small difference of such numbers.
    """
    return -_mean_over_rows(torch.xlogy(probabilities, probabilities).sum(dim=-1), lengths)


def _mean_over_rows(values: Tensor, lengths: Tensor | None) -> Tensor:
    """From `[..., heads, tokens]`, zero at padding, to `[...]`."""
    heads, tokens = values.shape[-2:]
    return values.double().sum(dim=(-2, -1)) / (heads * (tokens if lengths is None else lengths))
