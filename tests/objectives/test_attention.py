"""Equation 2."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from internal_kd.objectives.attention import attention_entropy, attention_kl
from tests.distillation import reference

LENGTHS = (5, 9, 1, 7)
HEADS = 3


def sentences(seed: int, sharpness: float = 2.0) -> list[Tensor]:
    """Scores of sentences without padding, `[heads, tokens, tokens]` each."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(HEADS, n, n, generator=generator) * sharpness for n in LENGTHS]


def pad(scores: list[Tensor], tokens: int, noise: float = 0.0) -> Tensor:
    """One tensor, no key at padding; rows of padding must not matter."""
    padded = torch.randn(len(scores), HEADS, tokens, tokens) * noise
    for padded_scores, own in zip(padded, scores, strict=True):
        padded_scores[:, : own.shape[1], : own.shape[2]] = own
        padded_scores[:, :, own.shape[2] :] = torch.finfo(torch.float32).min
    return padded


def taught(scores: list[Tensor], tokens: int) -> Tensor:
    """Softmax over the real keys, zero at padding."""
    probabilities = torch.zeros(len(scores), HEADS, tokens, tokens)
    for padded, own in zip(probabilities, scores, strict=True):
        padded[:, : own.shape[1], : own.shape[2]] = own.softmax(-1)
    return probabilities


def kl(teacher: list[Tensor], student: Tensor, tokens: int) -> Tensor:
    """The loss of padded sentences."""
    return attention_kl(taught(teacher, tokens), student, torch.tensor(LENGTHS))


@pytest.mark.parametrize("sharpness", [0.1, 1.0, 8.0])
def test_loss_is_equation_2(sharpness: float) -> None:
    teacher, student = sentences(1, sharpness), sentences(2, sharpness)
    expected = reference.attention_kl(teacher, student)
    assert kl(teacher, pad(student, 12, noise=50.0), 12).item() == pytest.approx(expected, 1e-5)


def test_gradient_is_that_of_equation_2() -> None:
    """d/ds of KL(softmax t || softmax s) is softmax s - softmax t, weighted as the rows are."""
    teacher, student = sentences(1), sentences(2)
    padded = pad(student, 12, noise=50.0).requires_grad_()
    kl(teacher, padded, 12).backward()
    assert padded.grad is not None
    expected = torch.zeros(padded.shape, dtype=torch.float64)
    for i, (t, s) in enumerate(zip(teacher, student, strict=True)):
        n = t.shape[-1]
        difference = s.double().softmax(-1) - t.double().softmax(-1)
        expected[i, :, :n, :n] = difference / (n * HEADS * len(LENGTHS))
    scale = expected.abs().max()
    assert (padded.grad - expected).abs().max() / scale < 1e-5


def test_value_computed_by_hand() -> None:
    # One head, two tokens; teacher rows (1/2, 1/2), student rows (3/4, 1/4) and (1/2, 1/2):
    # ((log 2/3 + log 2) / 2 + 0) / 2 = 0.07192052.
    student = torch.tensor([[[[math.log(3.0), 0.0], [0.0, 0.0]]]])
    value = attention_kl(torch.full((1, 1, 2, 2), 0.5), student)
    assert value.item() == pytest.approx(0.07192052, 1e-6)


def test_zero_for_identical_attention() -> None:
    scores = sentences(3)
    assert kl(scores, pad(scores, 12, noise=50.0), 12).item() == pytest.approx(0.0, abs=1e-6)


@given(extra=st.integers(0, 20), noise=st.floats(0, 1e4))
def test_padding_does_not_affect_the_loss(extra: int, noise: float) -> None:
    teacher, student = sentences(1), sentences(2)
    tokens = max(LENGTHS) + extra
    padded = kl(teacher, pad(student, tokens, noise), tokens)
    torch.testing.assert_close(padded, kl(teacher, pad(student, max(LENGTHS)), max(LENGTHS)))


@given(st.permutations(range(len(LENGTHS))))
def test_batch_order_does_not_matter(order: list[int]) -> None:
    lengths = torch.tensor(LENGTHS)
    teacher, student = taught(sentences(1), 9), pad(sentences(2), 9)
    shuffled = attention_kl(teacher[order], student[order], lengths[order])
    torch.testing.assert_close(shuffled, attention_kl(teacher, student, lengths))


@given(seed=st.integers(0, 1000))
def test_never_negative(seed: int) -> None:
    assert kl(sentences(seed), pad(sentences(seed + 1), 9), 9).item() > -1e-6


def test_finite_where_the_teacher_gives_no_probability() -> None:
    teacher = torch.tensor([[[[1.0, 0.0], [0.0, 1.0]]]])
    student = torch.tensor([[[[0.0, -300.0], [5.0, 0.0]]]], requires_grad=True)
    value = attention_kl(teacher, student)
    value.backward()
    assert student.grad is not None
    assert torch.isfinite(value)
    assert torch.isfinite(student.grad).all()


def test_entropy_is_that_of_the_rows() -> None:
    expected = [
        sum(-(p * p.log()).sum() for p in own.double().softmax(-1).flatten(0, 1)) / (HEADS * n)
        for n, own in zip(LENGTHS, sentences(1), strict=True)
    ]
    found = attention_entropy(taught(sentences(1), 12), torch.tensor(LENGTHS))
    torch.testing.assert_close(found, torch.stack(expected), rtol=1e-6, atol=1e-7)


def test_entropy_computed_by_hand() -> None:
    # Rows (1/2, 1/2) and (1, 0): (log 2 + 0) / 2.
    rows = torch.tensor([[[0.5, 0.5], [1.0, 0.0]]])
    assert attention_entropy(rows).item() == pytest.approx(math.log(2) / 2)


def test_entropy_can_be_given() -> None:
    teacher, student = taught(sentences(1), 9), pad(sentences(2), 9)
    lengths = torch.tensor(LENGTHS)
    known = attention_entropy(teacher, lengths)
    expected = attention_kl(teacher, student, lengths)
    assert torch.equal(attention_kl(teacher, student, lengths, known), expected)
