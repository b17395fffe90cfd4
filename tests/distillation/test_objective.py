"""The loss of a step: which terms act, and how they are weighted and reduced."""

import pytest
import torch

from internal_kd.distillation.objective import DistillationObjective, signal_request
from internal_kd.distillation.schedules import Phase
from internal_kd.distillation.signals import LiveSignals
from internal_kd.models.capture import FrozenTeacher
from internal_kd.specs.training import ObjectiveSettings
from tests.models.tiny import tiny_batch, tiny_model

INTERNAL = {"attention_kl": 1.0, "cls_cosine": 1.0}
ALL = Phase((1, 2), output=True)


def objective(internal, output, *, layer_reduction="mean", matched=(2, 4), teacher_seed=0):
    """An objective with a fixed random teacher of four layers."""
    settings = ObjectiveSettings(internal, output, layer_reduction=layer_reduction)
    teacher = FrozenTeacher(tiny_model(seed=teacher_seed))
    numbered = dict(enumerate(matched, start=1))
    return DistillationObjective(settings, LiveSignals(teacher, signal_request(settings, numbered)))


def test_weighted_sum_of_its_terms() -> None:
    loss, terms = objective({"attention_kl": 2.0, "cls_cosine": 3.0}, {"soft": 5.0, "hard": 0.1})(
        tiny_model(layers=2, seed=1).eval(), tiny_batch(), ALL
    )
    expected = 2 * terms["attention_kl"] + 3 * terms["cls_cosine"] + 5 * terms["soft"]
    torch.testing.assert_close(loss, expected + 0.1 * terms["hard"])


@pytest.mark.parametrize(("layer_reduction", "factor"), [("sum", 1.0), ("mean", 0.5)])
def test_layers_are_summed_or_averaged(layer_reduction, factor) -> None:
    _, terms = objective(INTERNAL, {}, layer_reduction=layer_reduction)(
        tiny_model(layers=2, seed=1).eval(), tiny_batch(), Phase((1, 2), False)
    )
    for name in INTERNAL:
        layers = terms[f"{name}_layer1"] + terms[f"{name}_layer2"]
        torch.testing.assert_close(terms[name], layers * factor)


def test_only_terms_of_the_stage_act() -> None:
    objective_ = objective(INTERNAL, {"soft": 1.0})
    student = tiny_model(layers=2, seed=1).eval()
    _, internal = objective_(student, tiny_batch(), Phase((2,), output=False))
    assert set(internal) == {
        "attention_kl",
        "cls_cosine",
        "attention_kl_layer2",
        "cls_cosine_layer2",
    }
    _, output = objective_(student, tiny_batch(), Phase((), output=True))
    assert set(output) == {"soft"}


def test_zero_for_identical_models_although_the_student_has_attention_dropout() -> None:
    """Dropout on probabilities must not enter the divergence; layer 1 sees no other dropout."""
    teacher, student = tiny_model(seed=0), tiny_model(seed=0)
    for module in student.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    for layer in student.bert.encoder.layer:
        layer.attention.self.dropout.p = 0.5
    settings = ObjectiveSettings({"attention_kl": 1.0}, {})
    signals = LiveSignals(FrozenTeacher(teacher), signal_request(settings, {1: 1}))
    loss, _ = DistillationObjective(settings, signals)(
        student.train(), tiny_batch(), Phase((1,), output=False)
    )
    assert loss.item() == pytest.approx(0.0, abs=1e-6)


def test_zero_for_identical_models() -> None:
    """In evaluation mode, with dropout in the student's config."""
    student = tiny_model(seed=0).eval()
    assert student.config.attention_probs_dropout_prob == 0.1
    loss, _ = objective(INTERNAL, {}, matched=(1, 2, 3, 4))(
        student, tiny_batch(), Phase((1, 2, 3, 4), output=False)
    )
    assert loss.item() == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("pad", [1, 17])
def test_padding_does_not_affect_loss_and_gradients(pad) -> None:
    student = tiny_model(layers=2, seed=1).eval()
    gradients = []
    for padding in (0, pad):
        student.zero_grad()
        loss, _ = objective(INTERNAL, {"soft": 1.0})(student, tiny_batch(pad=padding), ALL)
        loss.backward()
        gradients.append([p.grad.clone() for p in student.parameters() if p.grad is not None])
    for plain, padded in zip(*gradients, strict=True):
        torch.testing.assert_close(padded, plain, rtol=1e-4, atol=1e-6)
