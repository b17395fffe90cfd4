"""Relations of MiniLM and MiniLMv2, against float64 loops over unpadded sentences."""

import pytest
import torch
from torch import Tensor

from internal_kd.errors import UserError
from internal_kd.objectives.relations import regrouped, relation_kl, value_relation_kl, value_target
from tests.distillation import reference
from tests.objectives.padded import LENGTHS, TOKENS, mask, pad, sentences

TEACHER, STUDENT = (4, 6), (3, 4)  # heads and their size: widths 24 and 12


def in_heads(values: list[Tensor], heads: int) -> list[Tensor]:
    """From `[tokens, width]` to `[heads, tokens, head size]`."""
    return [own.reshape(len(own), heads, -1).transpose(0, 1) for own in values]


def states() -> tuple[list[Tensor], list[Tensor]]:
    """Of teacher and student, `[tokens, width]` each."""
    return sentences(1, 0, 24), sentences(2, 0, 12)


def loss(teacher: Tensor, student: Tensor, heads: int | None, tokens: int = TOKENS) -> Tensor:
    return relation_kl(teacher, student, mask(tokens), heads)


def padded(tokens: int = TOKENS) -> tuple[Tensor, Tensor]:
    teacher, student = states()
    return pad(in_heads(teacher, 4), tokens), pad(in_heads(student, 3), tokens)


@pytest.mark.parametrize("heads", [1, 2, 3, 4, 6, 12, None])
def test_loss_is_that_of_the_formula_for_any_number_of_relation_heads(heads):
    expected = reference.relation_kl(*states(), heads or TEACHER[0])
    assert loss(*padded(), heads).item() == pytest.approx(expected, rel=1e-6)


def test_gradients_are_those_of_double_precision():
    gradients = []
    for kind in (torch.float32, torch.float64):
        teacher, student = padded()
        student = student.to(kind).requires_grad_()
        value = (
            _double_loss(teacher, student) if kind == torch.float64 else loss(teacher, student, 4)
        )
        value.backward()
        gradients.append(student.grad.double())
    single, double = gradients
    assert (single - double).abs().max() / double.abs().max() < 1e-5


def _double_loss(teacher: Tensor, student: Tensor) -> Tensor:
    """The formula sentence by sentence, with gradients."""
    total = torch.zeros((), dtype=torch.float64)
    for index, length in enumerate(LENGTHS):
        p, q = (
            (own @ own.transpose(-1, -2) / own.shape[-1] ** 0.5).softmax(-1)
            for own in (
                regrouped(values[index : index + 1, :, :length].double(), 4)[0]
                for values in (teacher, student)
            )
        )
        total = total + (p * (p / q).log()).sum() / (4 * length)
    return total / len(LENGTHS)


def test_more_padding_changes_nothing():
    narrow, wide = (loss(*padded(tokens), 4, tokens).item() for tokens in (9, 20))
    assert narrow == pytest.approx(wide, rel=1e-6)


def test_order_of_the_batch_changes_nothing():
    teacher, student = padded()
    order = torch.tensor([2, 0, 3, 1])
    shuffled = relation_kl(teacher[order], student[order], mask()[order], 4)
    assert shuffled.item() == pytest.approx(loss(teacher, student, 4).item(), rel=1e-6)


def test_no_gradient_at_padding():
    teacher, student = padded()
    student.requires_grad_()
    loss(teacher, student, 4).backward()
    outside = mask()[:, None, :, None].expand_as(student) == 0
    assert student.grad[outside].abs().max() == 0
    assert student.grad.abs().max() > 0


def test_a_batch_without_padding_needs_no_mask():
    teacher, student = torch.randn(3, 4, 7, 6), torch.randn(3, 3, 7, 4)
    assert relation_kl(teacher, student, None, 4).item() == pytest.approx(
        relation_kl(teacher, student, torch.ones(3, 7), 4).item(), rel=1e-6
    )


def test_zero_for_identical_values():
    teacher, _ = padded()
    assert value_relation_kl(teacher, teacher, mask()).item() == pytest.approx(0.0, abs=1e-7)


def test_a_number_of_heads_that_does_not_divide_a_width_is_refused():
    with pytest.raises(UserError, match=r"distillation.relation_heads: 5 heads .* width of 24"):
        loss(*padded(), 5)


def test_the_target_is_zero_at_padding():
    values = torch.randn(4, 2, 3, TOKENS, 5)
    stored = value_target(values, mask())["value"]
    real = mask()[:, None, None, :, None].expand_as(values) == 1
    assert (stored[~real] == 0).all()
    assert (stored[real] == values[real]).all()
