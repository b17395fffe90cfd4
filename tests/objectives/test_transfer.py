"""Squared errors and the contrastive loss, against float64 loops."""

import pytest
import torch
from torch import Tensor, nn

from internal_kd.objectives.attention import attention_mse, scores_target
from internal_kd.objectives.hidden import (
    CONTRAST_TEMPERATURE,
    cls_contrast,
    cls_mse,
    combined_cls_mse,
    combined_hidden_mse,
    hidden_mse,
    linear_between_widths,
    linear_of_all_layers,
)
from tests.distillation import reference
from tests.objectives.padded import LENGTHS, TOKENS, mask, pad, sentences

ORDER = torch.tensor([2, 0, 3, 1])
LOWEST = torch.finfo(torch.float32).min


def scores(seed: int) -> list[Tensor]:
    """`[heads, tokens, tokens]` of each sentence."""
    return sentences(seed, 3, 0, 0)


def student_scores(seed: int, tokens: int = TOKENS) -> Tensor:
    """As a model gives them: the lowest number in columns of padding."""
    padded = pad(scores(seed), tokens)
    return padded.masked_fill(mask(tokens)[:, None, None, :] == 0, LOWEST)


def score_loss(tokens: int = TOKENS) -> Tensor:
    return attention_mse(pad(scores(1), tokens), student_scores(2, tokens), mask(tokens))


def test_score_loss_is_that_of_the_formula():
    expected = reference.attention_mse(scores(1), scores(2))
    assert score_loss().item() == pytest.approx(expected, rel=1e-6)


def test_gradient_of_the_score_loss_is_that_of_the_formula():
    teacher, student = pad(scores(1)), student_scores(2).requires_grad_()
    attention_mse(teacher, student, mask()).backward()
    for index, length in enumerate(LENGTHS):
        errors = (scores(2)[index] - scores(1)[index]).double()
        expected = 2 * errors / (3 * length**2 * len(LENGTHS))
        found = student.grad[index, :, :length, :length].double()
        assert torch.allclose(found, expected, rtol=1e-5, atol=1e-9)
        assert student.grad[index, :, length:].abs().max() == 0
        assert student.grad[index, :, :, length:].abs().max() == 0


def test_score_loss_is_free_of_padding_and_of_the_order_of_the_batch():
    assert score_loss(9).item() == pytest.approx(score_loss(20).item(), rel=1e-6)
    shuffled = attention_mse(pad(scores(1))[ORDER], student_scores(2)[ORDER], mask()[ORDER])
    assert shuffled.item() == pytest.approx(score_loss().item(), rel=1e-6)


def test_stored_scores_are_zero_at_padding_and_give_the_same_loss():
    stored = scores_target(student_scores(1)[:, None], mask())["scores"][:, 0]
    real = mask()[:, None, :, None] * mask()[:, None, None, :]
    assert (stored * (1 - real)).abs().max() == 0
    assert attention_mse(stored, student_scores(2), mask()).item() == score_loss().item()


@pytest.fixture
def projection() -> nn.Module:
    torch.manual_seed(3)
    made = linear_between_widths(4, 6)
    assert made is not None
    return made


def hidden_states() -> tuple[list[Tensor], list[Tensor]]:
    """Of teacher and student, `[tokens, width]` each."""
    return sentences(1, 0, 6), sentences(2, 0, 4)


def test_hidden_loss_is_that_of_the_formula(projection):
    teacher, student = hidden_states()
    found = hidden_mse(pad(student), pad(teacher), mask(), projection)
    expected = reference.hidden_mse(
        teacher, student, projection.weight.detach(), projection.bias.detach()
    )
    assert found.item() == pytest.approx(expected, rel=1e-6)


def test_gradients_of_the_hidden_loss_are_those_of_the_formula(projection):
    teacher, student = hidden_states()
    padded = pad(student).requires_grad_()
    hidden_mse(padded, pad(teacher), mask(), projection).backward()
    weight, count = projection.weight.detach().double(), sum(LENGTHS) * 6
    of_weight = torch.zeros_like(weight)
    for index, (t, s) in enumerate(zip(teacher, student, strict=True)):
        errors = s.double() @ weight.T + projection.bias.detach().double() - t.double()
        of_weight += 2 * errors.T @ s.double() / count
        found = padded.grad[index]
        assert torch.allclose(
            found[: len(s)].double(), 2 * errors @ weight / count, rtol=1e-5, atol=1e-9
        )
        assert found[len(s) :].abs().max() == 0
    assert torch.allclose(projection.weight.grad.double(), of_weight, rtol=1e-5, atol=1e-8)


def test_hidden_loss_is_free_of_padding_and_of_the_order_of_the_batch(projection):
    teacher, student = hidden_states()
    narrow, wide = (
        hidden_mse(pad(student, n), pad(teacher, n), mask(n), projection).item() for n in (9, 20)
    )
    shuffled = hidden_mse(pad(student)[ORDER], pad(teacher)[ORDER], mask()[ORDER], projection)
    assert narrow == pytest.approx(wide, rel=1e-6)
    assert narrow == pytest.approx(shuffled.item(), rel=1e-6)


def test_equal_widths_need_no_projection_and_identical_states_no_loss():
    assert linear_between_widths(6, 6) is None
    teacher, _ = hidden_states()
    assert hidden_mse(pad(teacher, noise=0.0), pad(teacher, noise=0.0), mask()).item() == 0
    assert cls_mse(torch.ones(3, 6), torch.ones(3, 6)).item() == 0


@pytest.fixture
def combination() -> nn.Module:
    torch.manual_seed(4)
    return linear_of_all_layers(4, 6, 3)


def stacked_states() -> tuple[list[Tensor], list[Tensor]]:
    """Of three teacher layers, `[3, tokens, width]`, and of a student layer."""
    return sentences(1, 3, 0, 6), sentences(2, 0, 4)


def combined_errors(combination) -> list[Tensor]:
    """Of each sentence, in double precision, from loops over tokens and layers."""
    weight, bias = (p.detach().double() for p in (combination.weight, combination.bias))
    found = []
    for layers, own in zip(*stacked_states(), strict=True):
        rows = []
        for token, state in enumerate(own.double()):
            side_by_side = torch.cat([layer[token] for layer in layers.double()])
            rows.append(state - (weight @ side_by_side + bias))
        found.append(torch.stack(rows))
    return found


def combined_loss(combination, tokens: int = TOKENS) -> Tensor:
    teacher, student = stacked_states()
    return combined_hidden_mse(
        pad(student, tokens), pad(teacher, tokens), combination, mask(tokens)
    )


def test_combined_loss_is_that_of_the_formula(combination):
    expected = torch.cat(combined_errors(combination)).square().mean()
    assert combined_loss(combination).item() == pytest.approx(expected.item(), rel=1e-6)


def test_gradients_of_the_combined_loss_are_those_of_the_formula(combination):
    teacher, student = stacked_states()
    padded = pad(student).requires_grad_()
    combined_hidden_mse(padded, pad(teacher), combination, mask()).backward()
    count = sum(LENGTHS) * 4
    of_weight = torch.zeros_like(combination.weight, dtype=torch.float64)
    for index, errors in enumerate(combined_errors(combination)):
        found = padded.grad[index].double()
        assert torch.allclose(found[: len(errors)], 2 * errors / count, rtol=1e-5, atol=1e-9)
        assert found[len(errors) :].abs().max() == 0
        side_by_side = torch.cat(list(teacher[index].double()), dim=-1)
        of_weight -= 2 * errors.T @ side_by_side / count
    assert torch.allclose(combination.weight.grad.double(), of_weight, rtol=1e-5, atol=1e-8)


def test_combined_loss_is_free_of_padding_and_of_the_order_of_the_batch(combination):
    teacher, student = stacked_states()
    narrow, wide = (combined_loss(combination, tokens).item() for tokens in (9, 20))
    shuffled = combined_hidden_mse(
        pad(student)[ORDER], pad(teacher)[ORDER], combination, mask()[ORDER]
    )
    assert narrow == pytest.approx(wide, rel=1e-6)
    assert narrow == pytest.approx(shuffled.item(), rel=1e-6)


def test_combined_cls_loss_is_that_of_sentences_of_one_token(combination):
    teacher, student = torch.randn(5, 3, 6), torch.randn(5, 4)
    expected = combined_hidden_mse(student[:, None], teacher[:, :, None], combination)
    found = combined_cls_mse(student, teacher, combination)
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)


def test_cls_loss_is_the_hidden_loss_of_sentences_of_one_token(projection):
    teacher, student = torch.randn(5, 6), torch.randn(5, 4)
    expected = hidden_mse(student[:, None], teacher[:, None], None, projection)
    found = cls_mse(student, teacher, projection)
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)


def test_contrastive_loss_is_that_of_the_formula(projection):
    teacher, student = torch.randn(5, 6), torch.randn(5, 4)
    expected = reference.cls_contrast(teacher, projection(student).detach(), CONTRAST_TEMPERATURE)
    found = cls_contrast(student, teacher, projection)
    assert found.item() == pytest.approx(expected, rel=1e-6)


def test_contrastive_loss_has_the_gradients_of_double_precision():
    teacher, values = torch.randn(5, 6), torch.randn(5, 6)
    single, double = values.clone().requires_grad_(), values.double().requires_grad_()
    cls_contrast(single, teacher).backward()
    cosines = torch.nn.functional.cosine_similarity(double[:, None], teacher.double()[None], dim=-1)
    rows = (cosines / CONTRAST_TEMPERATURE).log_softmax(-1)
    (-rows.diagonal().mean()).backward()
    assert (single.grad - double.grad).abs().max() / double.grad.abs().max() < 1e-5


def test_contrastive_loss_falls_as_students_approach_their_own_teachers():
    teacher = torch.randn(6, 8)
    near, far = teacher + 0.1 * torch.randn(6, 8), torch.randn(6, 8)
    assert cls_contrast(near, teacher) < cls_contrast(far, teacher)
    assert cls_contrast(teacher[:1], teacher[:1]).item() == 0
    assert cls_contrast(near[[1, 0, 2]], teacher[[1, 0, 2]]).item() == pytest.approx(
        cls_contrast(near[:3], teacher[:3]).item(), rel=1e-5
    )
