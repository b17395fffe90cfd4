"""Means of loss terms over an epoch."""

import pytest
import torch

from internal_kd.distillation.history import TermMeans


def terms(soft: float, hard: float) -> dict[str, torch.Tensor]:
    return {"soft": torch.tensor(soft, requires_grad=True), "hard": torch.tensor(hard)}


def test_means_of_each_term() -> None:
    means = TermMeans()
    for values in ((1.0, 10.0), (2.0, 30.0), (6.0, 20.0)):
        means.add(terms(*values))
    assert means.means() == {"soft": 3.0, "hard": 20.0}


def test_what_was_added_is_a_copy() -> None:
    """The next step writes over the results of a CUDA graph."""
    means, first = TermMeans(), terms(1.0, 10.0)
    means.add(first)
    first["soft"].data.fill_(9.0)
    assert means.means()["soft"] == 1.0


def test_state_can_be_restored() -> None:
    before, after = TermMeans(), TermMeans()
    before.add(terms(1.0, 10.0))
    after.load_state_dict(before.state_dict())
    after.add(terms(2.0, 20.0))
    assert after.means() == {"soft": 1.5, "hard": 15.0}


def test_other_terms_are_refused() -> None:
    means = TermMeans()
    means.add(terms(1.0, 10.0))
    with pytest.raises(AssertionError):
        means.add({"soft": torch.tensor(1.0)})
