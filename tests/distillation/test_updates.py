"""Which parameters a stage updates."""

import pytest

from internal_kd.distillation.schedules import Stage
from internal_kd.distillation.updates import UpdateRule, select_updates
from internal_kd.models.layers import encoder_layers
from tests.models.tiny import tiny_model


def updated(rule: UpdateRule, stage: Stage) -> set[str]:
    """The parts of a model of three layers that are updated, each as a whole."""
    model = tiny_model(layers=3)
    select_updates(model, rule, stage)
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
ACTIVE = UpdateRule(internal="active", output="head")


@pytest.mark.parametrize(
    ("rule", "stage", "expected"),
    [
        (UpdateRule(), Stage((2,), False, False), EVERYTHING),
        (UpdateRule(), Stage((), True, True), EVERYTHING),
        (ACTIVE, Stage((1,), False, False), {"embeddings", "1"}),
        (ACTIVE, Stage((3,), False, False), {"3"}),
        (ACTIVE, Stage((1, 2), False, False), {"embeddings", "1", "2"}),
        (ACTIVE, Stage((2,), True, False), {"2", "pooler", "classifier"}),
        (ACTIVE, Stage((), True, True), {"pooler", "classifier"}),
        (UpdateRule("active", "all"), Stage((), True, True), EVERYTHING),
    ],
)
def test_parts_that_are_updated(rule, stage, expected) -> None:
    assert updated(rule, stage) == expected
