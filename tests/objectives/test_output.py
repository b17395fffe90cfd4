"""Equation 1."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from internal_kd.objectives.output import hard_cross_entropy, soft_cross_entropy
from tests.distillation import reference


@pytest.mark.parametrize("temperature", [1.0, 2.0, 0.5])
def test_soft_cross_entropy_is_equation_1(temperature: float) -> None:
    torch.manual_seed(0)
    student, teacher = torch.randn(7, 3) * 3, torch.randn(7, 3) * 3
    expected = reference.soft_cross_entropy(student, teacher, temperature)
    assert soft_cross_entropy(student, teacher, temperature).item() == pytest.approx(expected, 1e-5)


def test_hard_cross_entropy_is_equation_1() -> None:
    torch.manual_seed(0)
    student, labels = torch.randn(7, 3) * 3, torch.tensor([0, 1, 2, 0, 1, 2, 0])
    expected = reference.hard_cross_entropy(student, labels)
    assert hard_cross_entropy(student, labels).item() == pytest.approx(expected, 1e-5)


def test_values_computed_by_hand() -> None:
    # Teacher (1/2, 1/2), student (3/4, 1/4): -(log 3/4 + log 1/4) / 2 = 0.83698822.
    student, teacher = torch.tensor([[math.log(3.0), 0.0]]), torch.zeros(1, 2)
    assert soft_cross_entropy(student, teacher).item() == pytest.approx(0.83698822, 1e-6)
    # Label 1 has the student's probability 1/4: log 4 = 1.38629436.
    assert hard_cross_entropy(student, torch.tensor([1])).item() == pytest.approx(1.38629436, 1e-6)


def test_gradient_vanishes_for_identical_logits() -> None:
    logits = torch.randn(4, 2, requires_grad=True)
    soft_cross_entropy(logits, logits.detach()).backward()
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, torch.zeros(4, 2), atol=1e-7, rtol=0)


def test_gradient_keeps_its_size_with_temperature() -> None:
    """At small logits the gradient with T squared is that without temperature (Hinton et al.)."""
    gradients = []
    for temperature in (1.0, 8.0):
        student = (torch.tensor([[0.02, -0.01]])).requires_grad_()
        soft_cross_entropy(student, torch.tensor([[-0.01, 0.03]]), temperature).backward()
        gradients.append(student.grad)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=0.02, atol=0)


@given(st.permutations(range(6)))
def test_batch_order_does_not_matter(order: list[int]) -> None:
    torch.manual_seed(0)
    student, teacher, labels = torch.randn(6, 2), torch.randn(6, 2), torch.arange(6) % 2
    torch.testing.assert_close(
        soft_cross_entropy(student[order], teacher[order]), soft_cross_entropy(student, teacher)
    )
    torch.testing.assert_close(
        hard_cross_entropy(student[order], labels[order]), hard_cross_entropy(student, labels)
    )
