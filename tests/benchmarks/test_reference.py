"""The reference against the equations written as loops, and the peers' losses against it."""

import pytest
import torch

from benchmarks.agreement import compare
from benchmarks.contestants.contestant import tensors
from benchmarks.contestants.trainer import pad_to_longest
from benchmarks.losses import distillation_loss
from benchmarks.reference import LossAndGradients, gradients_of, reference
from benchmarks.shapes import teacher_and_student
from tests.benchmarks.workloads import SMALL, small_workload
from tests.distillation import reference as equations

ROWS = (1, 3, 6)
REQUESTED = {"output_attentions": True, "output_hidden_states": True}


@pytest.fixture(scope="module")
def workload():
    return small_workload()


@pytest.fixture(scope="module")
def true(workload):
    return reference(workload, ROWS)


def run_alone(model, workload, row):
    inputs = {name: tensor[None] for name, tensor in tensors(workload, row).items()}
    with torch.no_grad():
        return model(**inputs, **REQUESTED)


def test_loss_is_that_of_the_equations(workload, true):
    teacher, student = (model.double() for model in teacher_and_student(SMALL, "eager"))
    taught = [run_alone(teacher, workload, row) for row in ROWS]
    answered = [run_alone(student, workload, row) for row in ROWS]
    logits = [torch.cat([outputs.logits for outputs in side]) for side in (answered, taught)]
    expected = equations.soft_cross_entropy(*logits)
    for layer, matched in enumerate(SMALL.matched, start=1):
        scores = [
            [outputs.attentions[k - 1][0].log() for outputs in side]
            for side, k in ((taught, matched), (answered, layer))
        ]
        cls = [
            torch.cat([outputs.hidden_states[k][:, 0] for outputs in side])
            for side, k in ((taught, matched), (answered, layer))
        ]
        internal = equations.attention_kl(*scores) + equations.cls_cosine(*cls)
        expected += internal / SMALL.student_layers
    assert true.loss == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("padded_to", [0, 64])
def test_losses_of_the_peers_agree_with_the_reference(workload, true, padded_to):
    teacher, student = teacher_and_student(SMALL, "eager")
    inputs = pad_to_longest([tensors(workload, row, padded_to) for row in ROWS])
    taught, answered = teacher(**inputs, **REQUESTED), student(**inputs, **REQUESTED)
    loss = distillation_loss(answered, taught, inputs["attention_mask"], SMALL.matched)
    loss.backward()
    found = LossAndGradients(loss.item(), gradients_of(student))
    assert compare(found, true).exact


def test_another_loss_or_gradient_is_reported(true):
    assert compare(true, true).exact
    louder = LossAndGradients(true.loss * (1 + 1e-4), true.gradients)
    assert compare(louder, true).loss == pytest.approx(1e-4)
    assert not compare(louder, true).exact
    name = "bert.embeddings.word_embeddings.weight"
    bent = {**true.gradients, name: 1.001 * true.gradients[name]}
    assert compare(LossAndGradients(true.loss, bent), true).gradient == pytest.approx(1e-3)
