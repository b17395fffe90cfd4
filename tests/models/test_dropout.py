"""Dropout drops the right share, keeps the mean, and is a function of torch's seed."""

import pytest
import torch

from internal_kd.models.bert import dropout


@pytest.mark.parametrize("probability", [0.1, 0.5])
@pytest.mark.parametrize("shape", [(64, 4, 31, 31), (100_003,)])
def test_share_and_scale(probability, shape) -> None:
    torch.manual_seed(0)
    dropped = dropout(torch.ones(shape), probability, training=True)
    count = dropped.numel()
    share = (dropped == 0).sum().item() / count
    assert share == pytest.approx(probability, abs=4 * (probability / count) ** 0.5 + 1e-5)
    kept = dropped[dropped != 0]
    assert kept.unique().numel() == 1
    assert kept[0].item() == pytest.approx(1 / (1 - probability), rel=2e-5)


def test_neighbours_are_independent() -> None:
    """Four values share a random number: what happens to one must not predict the next."""
    torch.manual_seed(0)
    kept = (dropout(torch.ones(400_000), 0.5, training=True) > 0).double()
    for distance in (1, 2, 3, 4, 5):
        a, b = kept[:-distance] - 0.5, kept[distance:] - 0.5
        assert abs((a * b).mean().item() / 0.25) < 4 / 400_000**0.5


def test_gradient_flows_where_values_do() -> None:
    torch.manual_seed(0)
    values = torch.randn(50, 7, requires_grad=True)
    dropped = dropout(values, 0.3, training=True)
    dropped.sum().backward()
    torch.testing.assert_close(values.grad * values, dropped)


def test_same_seed_same_values_and_none_in_evaluation() -> None:
    values = torch.randn(33)
    found = []
    for _ in range(2):
        torch.manual_seed(7)
        found.append(dropout(values, 0.4, training=True))
    assert torch.equal(*found)
    assert not torch.equal(dropout(values, 0.4, training=True), found[0])
    assert dropout(values, 0.4, training=False) is values
    assert dropout(values, 0.0, training=True) is values


def test_everything_can_be_dropped() -> None:
    assert dropout(torch.ones(9), 1.0, training=True).abs().sum() == 0
