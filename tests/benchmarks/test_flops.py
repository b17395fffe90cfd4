"""The formula against a count of what the project's own pass runs."""

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.contestants.ours import Ours
from benchmarks.examples import PAD, random_split
from benchmarks.flops import forward, training_step
from benchmarks.shapes import Shape
from benchmarks.workload import Workload
from internal_kd.data.batches import assemble
from internal_kd.models.capture import LOGITS

SHAPE = Shape("counted", "counted", 64, 4, 4, 2, 1200)
EXAMPLES, LENGTH = 4, 20


@pytest.fixture(scope="module")
def ours():
    split = random_split(np.full(EXAMPLES, LENGTH), SHAPE.vocabulary)
    return Ours(Workload(SHAPE, "cola", split, EXAMPLES), source="live")


def heads(layers):
    """Pooler and classifier, which the formula omits: 2 h² + 2 h classes."""
    return 2 * SHAPE.hidden**2 + 4 * SHAPE.hidden


def test_forward_pass_of_the_teacher(ours):
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        ours.teacher(assemble(ours.workload.split, np.arange(EXAMPLES), PAD), LOGITS)
    lengths = ours.workload.split.lengths
    expected = forward(SHAPE.hidden, SHAPE.teacher_layers, lengths) + heads(4)
    assert counter.get_total_flops() / EXAMPLES == pytest.approx(expected)


def test_training_step(ours):
    with FlopCounterMode(display=False) as counter:
        ours.loss_and_gradients(np.arange(EXAMPLES))
    expected = training_step(SHAPE, ours.workload.split.lengths, teacher=True) + 4 * heads(2)
    assert counter.get_total_flops() / EXAMPLES == pytest.approx(expected)
