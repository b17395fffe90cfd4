"""Learning rate and optimizer."""

import copy

import pytest
import torch

from internal_kd.distillation.optimization import (
    BertWarmupDecay,
    FusedAdam,
    LinearWarmupDecay,
    make_learning_rate,
)
from internal_kd.specs.training import TrainingSettings
from tests.models.tiny import tiny_model


def rates(schedule: LinearWarmupDecay, steps: int) -> list[float]:
    """The rate of each of the next steps."""
    return [schedule.advance() for _ in range(steps)]


def test_rises_and_falls_linearly() -> None:
    # Ten steps, two of warm-up: 1/3, 2/3 of the peak, then 8/8, 7/8 ... 1/8 of it.
    expected = [1 / 3, 2 / 3, *(k / 8 for k in range(8, 0, -1))]
    assert rates(LinearWarmupDecay(1.0, 10, 0.2), 10) == pytest.approx(expected)


def test_restart_begins_with_warm_up_again() -> None:
    schedule = LinearWarmupDecay(1.0, 20, 0.2)
    rates(schedule, 10)
    schedule.restart(10)
    assert rates(schedule, 10) == pytest.approx(rates(LinearWarmupDecay(1.0, 10, 0.2), 10))


def test_berts_own_rates_decay_from_the_first_step_and_jump_after_warm_up() -> None:
    # Ten steps, two of warm-up: 0 and 1/2 of the peak, then 8/10, 7/10 ... 1/10 of it.
    expected = [0.0, 0.5, *(k / 10 for k in range(8, 0, -1))]
    assert rates(BertWarmupDecay(1.0, 10, 0.2), 10) == pytest.approx(expected)
    assert rates(BertWarmupDecay(1.0, 10, 0.0), 10) == pytest.approx(
        [k / 10 for k in range(10, 0, -1)]
    )


@pytest.mark.parametrize(
    ("kind", "rate"),
    [("adam", LinearWarmupDecay), ("adamw", LinearWarmupDecay), ("bert_adam", BertWarmupDecay)],
)
def test_each_optimizer_has_its_rates(kind, rate) -> None:
    assert type(make_learning_rate(settings(kind), 10)) is rate


def settings(kind: str = "adamw", max_grad_norm: float = 0.0) -> TrainingSettings:
    """Settings of a training with this optimizer."""
    return TrainingSettings(
        1, 8, 1e-3, optimizer=kind, weight_decay=0.01, max_grad_norm=max_grad_norm
    )


def gradients(model, step: int, resting: tuple[str, ...] = ()) -> None:
    """Random gradients for all parameters but those whose name holds one of `resting`."""
    generator = torch.Generator().manual_seed(step)
    for name, parameter in model.named_parameters():
        drawn = torch.randn(parameter.shape, generator=generator)
        parameter.grad = None if any(part in name for part in resting) else drawn


@pytest.mark.parametrize("kind", ["adam", "adamw"])
def test_steps_are_those_of_torch(kind) -> None:
    """Bit by bit, with parameters that rest at times; those of torch are given decay by hand."""
    ours, theirs = tiny_model(), tiny_model()
    mine = FusedAdam(ours.parameters(), settings(kind))
    by_hand = [
        {"params": [p], "weight_decay": 0.01 if p.ndim > 1 else 0.0} for p in theirs.parameters()
    ]
    reference = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[kind](by_hand, fused=True)
    for step in range(5):
        resting = ("layer.1", "classifier") if step in (0, 3) else ()
        gradients(ours, step, resting)
        gradients(theirs, step, resting)
        mine.step(1e-3 * (step + 1))
        for group in reference.param_groups:
            group["lr"] = 1e-3 * (step + 1)
        reference.step()
    for (name, a), b in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert torch.equal(a, b), name


def test_berts_own_optimizer_follows_its_equations() -> None:
    """m = 0.9 m + 0.1 g, v = 0.999 v + 0.001 g^2, w = w - rate (m / (sqrt(v) + 1e-6) + 0.01 w)."""
    model = tiny_model()
    optimizer = FusedAdam(model.parameters(), settings("bert_adam"))
    expected = {name: p.detach().double() for name, p in model.named_parameters()}
    means = {name: torch.zeros_like(p) for name, p in expected.items()}
    squares = {name: torch.zeros_like(p) for name, p in expected.items()}
    for step in range(5):
        gradients(model, step)
        rate = 1e-2 * (step + 1)
        for name, p in model.named_parameters():
            gradient = p.grad.double()
            means[name] = 0.9 * means[name] + 0.1 * gradient
            squares[name] = 0.999 * squares[name] + 0.001 * gradient**2
            moved = means[name] / (squares[name].sqrt() + 1e-6)
            decay = 0.01 if p.ndim > 1 else 0.0
            expected[name] = expected[name] - rate * (moved + decay * expected[name])
        optimizer.step(rate)
    for name, p in model.named_parameters():
        torch.testing.assert_close(p.double(), expected[name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("max_grad_norm", [0.5, 1e3])
def test_gradients_are_clipped_as_torch_does(max_grad_norm) -> None:
    """Sizes of Adam's steps hardly depend on the gradients', so its moments are compared."""
    model = tiny_model()
    optimizer = FusedAdam(model.parameters(), settings(max_grad_norm=max_grad_norm))
    gradients(model, 0, ("classifier",))
    kept = copy.deepcopy(model)
    for parameter, copied in zip(model.parameters(), kept.parameters(), strict=True):
        copied.grad = None if parameter.grad is None else parameter.grad.clone()
    norm = torch.nn.utils.clip_grad_norm_(kept.parameters(), max_grad_norm)
    assert (norm > max_grad_norm) == (max_grad_norm == 0.5)
    optimizer.step(0.0)
    clipped = {
        p.data_ptr(): copied.grad
        for p, copied in zip(model.parameters(), kept.parameters(), strict=True)
    }
    for group in optimizer.groups:
        for parameter, mean, square in zip(
            group.parameters, group.means, group.squares, strict=True
        ):
            gradient = clipped[parameter.data_ptr()]
            expected = torch.zeros_like(mean) if gradient is None else gradient
            torch.testing.assert_close(mean, 0.1 * expected, rtol=1e-5, atol=1e-12)
            torch.testing.assert_close(square, 0.001 * expected**2, rtol=1e-4, atol=1e-15)


def test_nonfinite_gradients_are_not_hidden() -> None:
    model = tiny_model()
    gradients(model, 0)
    model.classifier.bias.grad[0] = torch.inf
    FusedAdam(model.parameters(), settings(max_grad_norm=1.0)).step(1e-3)
    assert model.classifier.bias.isnan().any()


def test_weight_decay_spares_biases_and_normalisation() -> None:
    model = tiny_model()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    FusedAdam(model.parameters(), settings()).step(0.5)
    for name, parameter in model.named_parameters():
        spared = "LayerNorm" in name or "bias" in name
        torch.testing.assert_close(parameter, before[name] * (1.0 if spared else 1 - 0.5 * 0.01))


def test_a_parameter_without_gradient_is_unchanged() -> None:
    model = tiny_model()
    before = model.classifier.weight.detach().clone()
    optimizer = FusedAdam(model.parameters(), settings())
    gradients(model, 0, ("classifier",))
    optimizer.step(0.1)
    assert torch.equal(model.classifier.weight, before)
    optimizer.zero_grad()
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("kind", ["adamw", "bert_adam"])
def test_optimizer_resumes_from_its_state(kind) -> None:
    ours, theirs = tiny_model(), tiny_model()
    first, second = (
        FusedAdam(ours.parameters(), settings(kind)),
        FusedAdam(theirs.parameters(), settings(kind)),
    )
    gradients(ours, 0, ("layer.1",))
    first.step(1e-2)
    theirs.load_state_dict(ours.state_dict())
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    assert second.rate == 1e-2
    for model, optimizer in ((ours, first), (theirs, second)):
        gradients(model, 1)
        optimizer.step(1e-2)
    assert all(
        torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True)
    )
