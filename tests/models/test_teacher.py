"""A teacher stays frozen and in evaluation mode."""

import torch
from torch import nn

from internal_kd.models.capture import FrozenTeacher
from internal_kd.models.features import CaptureRequest
from tests.models.tiny import tiny_batch, tiny_model

FEATURES = ("hidden", "cls", "scores", "query", "key", "value")
EVERYTHING = CaptureRequest.of(FEATURES, range(1, 5), logits=True)


def test_stays_in_evaluation_mode_when_its_parent_is_trained() -> None:
    teacher = FrozenTeacher(tiny_model())
    parent = nn.ModuleDict({"teacher": teacher, "student": tiny_model(seed=1)})
    parent.train()
    assert parent["student"].training
    assert not any(module.training for module in teacher.modules())
    batch = tiny_batch()
    torch.testing.assert_close(
        *(teacher(batch, EVERYTHING).logits for _ in range(2)), rtol=0, atol=0
    )


def test_has_nothing_to_train() -> None:
    teacher = FrozenTeacher(tiny_model())
    outputs = teacher(tiny_batch(), EVERYTHING)
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    assert not any(t.requires_grad for t in (outputs.logits, *outputs.features.values()))
    assert len(outputs.features) == 6 * 4
