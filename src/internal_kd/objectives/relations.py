"""Relations between the tokens of a sentence: what MiniLM and MiniLMv2 transfer.

A relation is the attention of a layer's queries, keys or values with themselves. Its shape is
`tokens x tokens` whatever the width of the model, so teacher and student may differ in width and
in their number of heads.
"""

import torch
from torch import Tensor

from internal_kd.errors import UserError


def query_relation_kl(
    teacher_query: Tensor,
    student_query: Tensor,
    mask: Tensor | None = None,
    relation_heads: int | None = None,
) -> Tensor:
    """Q-Q relation of MiniLMv2 (Wang et al. 2021, Section 3), see `relation_kl`."""
    return relation_kl(teacher_query, student_query, mask, relation_heads)


def key_relation_kl(
    teacher_key: Tensor,
    student_key: Tensor,
    mask: Tensor | None = None,
    relation_heads: int | None = None,
) -> Tensor:
    """K-K relation of MiniLMv2 (Wang et al. 2021, Section 3), see `relation_kl`."""
    return relation_kl(teacher_key, student_key, mask, relation_heads)


def value_relation_kl(
    teacher_value: Tensor,
    student_value: Tensor,
    mask: Tensor | None = None,
    relation_heads: int | None = None,
) -> Tensor:
    """V-V relation of MiniLM (Wang et al. 2020, Section 3.2) and MiniLMv2, see `relation_kl`."""
    return relation_kl(teacher_value, student_value, mask, relation_heads)


def relation_kl(
    teacher: Tensor,
    student: Tensor,
    mask: Tensor | None = None,
    relation_heads: int | None = None,
) -> Tensor:
    """Kullback-Leibler divergence between relations of tokens with themselves.

    `R_a = softmax(A_a A_a^T / sqrt(d))` for each relation head a of d units, and
    `1/(n L) sum_a sum_i KL(R_T,a,i || R_S,a,i)` for a sentence of L tokens and n relation heads,
    then the mean over sentences. Padding is neither a key nor a row.

    Args:
        teacher: queries, keys or values, `[batch, heads, tokens, head size]`.
        student: the same of the student; heads and head size may be others.
        mask: `[batch, tokens]`, 1 at real tokens; None if there is no padding.
        relation_heads: n, into which the units of all heads are divided anew; None for the
            teacher's heads.

    Returns:
        A scalar in nats.

    Raises:
        UserError: a width is no multiple of the number of relation heads.
    """
    count = relation_heads or teacher.shape[1]
    log_teacher, log_student = (
        _log_relation(regrouped(values.float(), count), mask) for values in (teacher, student)
    )
    terms = log_teacher.exp() * (log_teacher - log_student)
    if mask is None:
        return terms.sum(dim=-1).mean()
    real = mask.bool()
    both = (real[:, None, :, None] & real[:, None, None, :]).expand_as(terms)
    of_sentence = torch.where(both, terms, 0.0).sum(dim=(1, 2, 3))
    return (of_sentence / (count * real.sum(dim=-1))).mean()


def regrouped(values: Tensor, heads: int) -> Tensor:
    """From `[batch, heads, tokens, head size]` to another number of heads.

    Raises:
        UserError: the width is no multiple of that number.
    """
    batch, old, tokens, size = values.shape
    if old * size % heads:
        raise UserError(
            f"distillation.relation_heads: {heads} heads do not divide a width of {old * size}; "
            "write a number that divides the widths of teacher and student"
        )
    if old == heads:
        return values
    return values.transpose(1, 2).reshape(batch, tokens, heads, -1).transpose(1, 2)


def _log_relation(values: Tensor, mask: Tensor | None) -> Tensor:
    """Logarithm of the relation, `[batch, heads, tokens, tokens]`; padding is no key."""
    scores = values @ values.transpose(-1, -2) / values.shape[-1] ** 0.5
    if mask is not None:
        lowest = torch.finfo(scores.dtype).min
        scores = scores.masked_fill(~mask.bool()[:, None, None, :], lowest)
    return torch.log_softmax(scores, dim=-1)


def query_target(query: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
    """The teacher's queries in fp32, zero at padding, as `value_target`."""
    return {"query": _without_padding(query, mask)}


def key_target(key: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
    """The teacher's keys in fp32, zero at padding, as `value_target`."""
    return {"key": _without_padding(key, mask)}


def value_target(value: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
    """The teacher's values in fp32, zero at padding.

    Args:
        value: `[batch, layers, heads, tokens, head size]`.
        mask: `[batch, tokens]`, 1 at real tokens; None if there is no padding.
    """
    return {"value": _without_padding(value, mask)}


def _without_padding(values: Tensor, mask: Tensor | None) -> Tensor:
    return values.float() if mask is None else values.float() * mask[:, None, None, :, None]
