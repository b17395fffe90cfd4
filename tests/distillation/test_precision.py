"""Half precision is for matrix products alone; padding changes no loss."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from internal_kd.data.batches import assemble
from internal_kd.distillation.objective import DistillationObjective
from internal_kd.distillation.schedules import Phase
from tests.distillation.tiny_training import OBJECTIVE, make_pair

ROWS = np.array([3, 0, 7, 5])
STAGES = {
    "together": Phase((1, 2), output=True),
    "layers": Phase((1, 2), output=False),
    "output": Phase((), output=True),
}


@pytest.fixture(params=["stored", "live"])
def setting(request, tmp_path):
    """A pair whose examples differ in length, and an objective.

    Weights of a trained model's size: with larger ones, attention is so sharp that rounding its
    scores to 8 bits shows.
    """
    pair = make_pair(tmp_path, longest=10)
    with torch.no_grad():
        for parameter in (*pair.student.parameters(), *pair.teacher.parameters()):
            parameter *= 0.4 if parameter.ndim > 1 else 1.0
    return pair, DistillationObjective(OBJECTIVE, pair.signals(request.param))


def outcome(pair, objective, batch, stage, precision="fp32"):
    """Loss, terms, and all gradients as one vector."""
    student = copy.deepcopy(pair.student).train()
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        loss, terms = objective(student, batch, stage)
    loss.backward()
    gradients = [p.grad for p in student.parameters() if p.grad is not None]
    return loss, terms, gradients


def flat(gradients) -> torch.Tensor:
    return torch.cat([gradient.flatten() for gradient in gradients])


@pytest.mark.parametrize("stage", STAGES)
def test_padding_changes_neither_loss_nor_gradients(setting, stage) -> None:
    pair, objective = setting
    results = [
        outcome(pair, objective, assemble(pair.split, ROWS, 0, tokens), STAGES[stage])
        for tokens in (None, 16)
    ]
    (loss, terms, gradients), (wider_loss, wider_terms, wider_gradients) = results
    torch.testing.assert_close(wider_loss, loss)
    torch.testing.assert_close(wider_terms, terms)
    torch.testing.assert_close(flat(wider_gradients), flat(gradients), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("stage", STAGES)
def test_half_precision_is_near_single_precision(setting, stage) -> None:
    pair, objective = setting
    batch = assemble(pair.split, ROWS, 0)
    loss, _, gradients = outcome(pair, objective, batch, STAGES[stage])
    half_loss, half_terms, half_gradients = outcome(pair, objective, batch, STAGES[stage], "bf16")
    exact = flat(gradients)
    error = (flat(half_gradients) - exact).norm() / exact.norm()
    assert 0 < error < 2e-2
    assert half_loss.item() == pytest.approx(loss.item(), rel=2e-2)
    assert half_loss.dtype == torch.float32
    assert {term.dtype for term in half_terms.values()} == {torch.float32}
    assert {gradient.dtype for gradient in half_gradients} == {torch.float32}


def test_softmax_and_normalisation_are_in_single_precision(setting) -> None:
    pair, objective = setting
    student, seen = copy.deepcopy(pair.student).train(), {"norm": set(), "product": set()}
    for module in student.modules():
        if isinstance(module, nn.LayerNorm):
            module.register_forward_hook(lambda *args: seen["norm"].add(args[2].dtype))
        elif isinstance(module, nn.Linear):
            module.register_forward_hook(lambda *args: seen["product"].add(args[2].dtype))
    with torch.autocast("cpu", torch.bfloat16):
        objective(student, assemble(pair.split, ROWS, 0), STAGES["together"])
    assert seen == {"norm": {torch.float32}, "product": {torch.bfloat16}}


def test_weights_and_moments_stay_in_single_precision(tmp_path) -> None:
    training = make_pair(tmp_path).training(precision="bf16", epochs=1)
    training.run()
    tensors = list(training.model.parameters())
    for group in training.optimizer.groups:
        tensors += [*group.means, *group.squares, group.steps]
    assert {tensor.dtype for tensor in tensors} == {torch.float32}


def test_signals_taken_in_advance_are_in_single_precision(tmp_path) -> None:
    """Whatever the training's own precision; a live teacher has that of the training."""
    pair = make_pair(tmp_path, longest=10)
    batch = assemble(pair.split, ROWS, 0)
    exact = pair.signals("live")(batch, (1, 2), True)
    kept = pair.training(precision="bf16").objective.signals(batch, (1, 2), True)
    torch.testing.assert_close(kept.logits, exact.logits)
    torch.testing.assert_close(kept.fields["cls"], exact.fields["cls"])
    with torch.autocast("cpu", torch.bfloat16):
        half = pair.signals("live")(batch, (1, 2), True)
    assert 0 < (half.fields["cls"] - exact.fields["cls"]).norm() / exact.fields["cls"].norm() < 2e-2
    assert (
        half.fields["attention"].dtype
        == half.fields["cls"].dtype
        == half.logits.dtype
        == torch.float32
    )
