"""Equation 3."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from internal_kd.objectives.hidden import cls_cosine
from tests.distillation import reference


def test_loss_is_equation_3() -> None:
    torch.manual_seed(0)
    teacher, student = torch.randn(9, 16), torch.randn(9, 16)
    expected = reference.cls_cosine(teacher, student)
    assert cls_cosine(teacher, student).item() == pytest.approx(expected, 1e-5)


def test_gradient_is_that_of_equation_3() -> None:
    torch.manual_seed(0)
    teacher = torch.randn(9, 16)
    student = torch.randn(9, 16, requires_grad=True)
    cls_cosine(teacher, student).backward()
    assert student.grad is not None
    t, s = teacher.double(), student.detach().double()
    norm_t, norm_s = t.norm(dim=1, keepdim=True), s.norm(dim=1, keepdim=True)
    cosine = (t * s).sum(1, keepdim=True) / (norm_t * norm_s)
    expected = -(t / (norm_t * norm_s) - cosine * s / norm_s**2) / len(t)
    assert (student.grad - expected).abs().max() / expected.abs().max() < 1e-5


def test_values_computed_by_hand() -> None:
    teacher = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    student = torch.tensor([[0.0, 2.0], [-3.0, 0.0], [1.0, 1.0]])
    # Right angle: 1; opposite: 2; 45 degrees: 1 - 0.70710678.
    expected = (1 + 2 + 0.29289322) / 3
    assert cls_cosine(teacher, student).item() == pytest.approx(expected, 1e-6)


@given(scale=st.floats(0.01, 100))
def test_length_does_not_matter_and_identical_vectors_give_zero(scale: float) -> None:
    torch.manual_seed(0)
    vectors = torch.randn(5, 8)
    assert cls_cosine(vectors, vectors * scale).item() == pytest.approx(0.0, abs=1e-6)


@given(st.permutations(range(6)))
def test_batch_order_does_not_matter(order: list[int]) -> None:
    torch.manual_seed(0)
    teacher, student = torch.randn(6, 8), torch.randn(6, 8)
    torch.testing.assert_close(
        cls_cosine(teacher[order], student[order]), cls_cosine(teacher, student)
    )
