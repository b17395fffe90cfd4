"""Learning rate and optimizer."""

import pytest
import torch

from internal_kd.distillation.optimization import LinearWarmupDecay, make_optimizer
from internal_kd.distillation.settings import TrainingSettings
from tests.models.tiny import tiny_model


def rates(schedule: LinearWarmupDecay, optimizer, steps: int) -> list[float]:
    """The rate of each of the next steps."""
    return [schedule.apply(optimizer) for _ in range(steps)]


@pytest.fixture
def optimizer():
    """Any optimizer."""
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)


def test_rises_and_falls_linearly(optimizer) -> None:
    # Ten steps, two of warm-up: 1/3, 2/3 of the peak, then 8/8, 7/8 ... 1/8 of it.
    expected = [1 / 3, 2 / 3, *(k / 8 for k in range(8, 0, -1))]
    assert rates(LinearWarmupDecay(1.0, 10, 0.2), optimizer, 10) == pytest.approx(expected)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(1 / 8)


def test_restart_begins_with_warm_up_again(optimizer) -> None:
    schedule = LinearWarmupDecay(1.0, 20, 0.2)
    rates(schedule, optimizer, 10)
    schedule.restart(10)
    assert rates(schedule, optimizer, 10) == pytest.approx(
        rates(LinearWarmupDecay(1.0, 10, 0.2), optimizer, 10)
    )


@pytest.mark.parametrize("kind", ["adam", "adamw"])
def test_weight_decay_spares_biases_and_normalisation(kind) -> None:
    model = tiny_model()
    settings = TrainingSettings(1, 8, 1e-3, optimizer=kind, weight_decay=0.01)
    decayed, spared = make_optimizer(model, settings).param_groups
    assert decayed["weight_decay"] == 0.01
    assert spared["weight_decay"] == 0.0
    names = {id(p): name for name, p in model.named_parameters()}
    assert all("LayerNorm" in names[id(p)] or "bias" in names[id(p)] for p in spared["params"])
    assert not any("LayerNorm" in names[id(p)] or "bias" in names[id(p)] for p in decayed["params"])
    assert len(decayed["params"]) + len(spared["params"]) == len(names)
