"""Memory is measured on data with QQP's lengths; signals are stored as the budget permits."""

import numpy as np
import pytest

from benchmarks import memory
from benchmarks.lengths import moments
from internal_kd.data.encoding import load_tokens

ROWS = 900


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("memory")
    memory.write_study(folder, ROWS)
    assert memory._tokens(folder)["peak_mb"] > 100
    return folder


def test_tokens_have_the_lengths_of_qqp(folder):
    splits, _ = load_tokens(folder / memory.TOKENS)
    mean, square = moments("qqp")
    lengths = splits["train"].lengths
    assert len(lengths) == ROWS
    deviation = np.sqrt(square - mean**2)
    assert lengths.mean() == pytest.approx(mean, abs=4 * deviation / np.sqrt(ROWS))


@pytest.mark.parametrize(("budget_mb", "source"), [(100, "StoredSignals"), (1, "LiveSignals")])
def test_signals_are_stored_as_far_as_the_budget_goes(folder, monkeypatch, budget_mb, source):
    case = ({"attention_kl": 1.0}, {"budget_mb": budget_mb, "attention": "uint16"})
    monkeypatch.setitem(memory.CASES, "case", case)
    monkeypatch.setattr(memory, "STEPS", 3)
    found = memory.measure(folder, "case")
    assert found["source"] == source
    assert 1 < found["signals_mb"] < 100
    assert found["peak_mb"] >= found["before_mb"] > 100
