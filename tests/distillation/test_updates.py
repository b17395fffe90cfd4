"""Which parameters a stage updates."""

import pytest

from internal_kd.distillation.optimization import select_updates
from internal_kd.distillation.schedules import Phase
from internal_kd.models.layers import encoder_layers
from tests.models.tiny import tiny_model


def updated(phase: Phase) -> set[str]:
    """The parts of a model of three layers that are updated, each as a whole."""
    model = tiny_model(layers=3)
    select_updates(model, phase)
    parts = {
        "embeddings": model.bert.embeddings,
        **{str(k + 1): layer for k, layer in enumerate(encoder_layers(model))},
        "pooler": model.bert.pooler,
        "classifier": model.classifier,
    }
    flags = {name: {p.requires_grad for p in part.parameters()} for name, part in parts.items()}
    assert all(len(values) == 1 for values in flags.values())
    return {name for name, values in flags.items() if values == {True}}


EVERYTHING = {"embeddings", "1", "2", "3", "pooler", "classifier"}


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        (Phase((2,), False), EVERYTHING),
        (Phase((), True), EVERYTHING),
        (Phase((1,), False, updates="active"), {"embeddings", "1"}),
        (Phase((3,), False, updates="active"), {"3"}),
        (Phase((1, 2), False, updates="active"), {"embeddings", "1", "2"}),
        (Phase((2,), True, updates="active"), {"2", "pooler", "classifier"}),
        (Phase((), True, updates="head"), {"pooler", "classifier"}),
    ],
)
def test_parts_that_are_updated(phase, expected) -> None:
    assert updated(phase) == expected
