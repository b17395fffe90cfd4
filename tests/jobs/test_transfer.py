"""Students that learn hidden states of all teacher layers through a learned map."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.torch import load_file

from internal_kd.errors import UserError
from internal_kd.evaluation.predictions import read_predictions
from internal_kd.jobs import distill
from internal_kd.objectives.functions import LayerLoss
from tests.jobs.test_resume import distil_until_killed, same_run, settings_of
from tests.jobs.tiny_study import call, experiment_settings

COMBINED = {"internal": {"hidden_mse": 1.0, "cls_mse": 0.5}, "layer_map": "all"}


def settings(source: str, **experiment) -> dict:
    """Of a run with losses of hidden states, beside the soft labels."""
    signals = {"source": source, "attention": "fp32"}
    chosen = experiment_settings("exp3.2", **{"internal": {}, **experiment})
    return settings_of("exp3.2", signals=signals) | {"experiment": chosen}


def paths(tiny: Path, out: Path) -> dict:
    return {
        "init": tiny / "init",
        "data": tiny / "rte.npz",
        "teacher": tiny / "teacher/model",
        "out": out,
        "checkpoints": out.with_name(f"{out.name}-checkpoints"),
        "signals": out.parent / "signals",
        "signals-mb": "100",
    }


def train(tiny: Path, out: Path, chosen: dict) -> Path:
    call(distill, chosen, **paths(tiny, out))
    return out


@pytest.fixture(scope="module")
def stored(tiny, tmp_path_factory) -> Path:
    """A run with stored signals of all layers."""
    return train(tiny, tmp_path_factory.mktemp("stored") / "run", settings("stored", **COMBINED))


def test_it_learns_from_all_layers_of_the_teacher(stored) -> None:
    history = pd.read_csv(stored / "history.csv")
    for name in ("hidden_mse", "hidden_mse_layer1", "hidden_mse_layer2"):
        assert history[name].iloc[-1] < 0.9 * history[name].iloc[0]
    recorded = json.loads((stored / "metrics.json").read_text())["signals"]
    assert set(recorded["stores"]) == {"logits", "hidden_1-2-3-4", "cls_1-2-3-4"}


def test_the_saved_model_is_a_plain_student(tiny, stored) -> None:
    start = load_file(tiny / "init/model.safetensors")
    saved = load_file(stored / "model/model.safetensors")
    head = {"classifier.weight", "classifier.bias"}
    assert saved.keys() == {f"bert.{name}" for name in start} | head


def test_stored_and_live_signals_give_the_same_student(tiny, stored, tmp_path) -> None:
    live = train(tiny, tmp_path / "live", settings("live", **COMBINED))
    found = [
        read_predictions(run / "predictions.parquet")["validation"].logits for run in (live, stored)
    ]
    np.testing.assert_allclose(*found, atol=1e-3)


def test_a_killed_run_equals_an_uninterrupted_one(tiny, stored, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("INTERNAL_KD_CHECKPOINT_MINUTES", "0")
    chosen, killed = settings("stored", **COMBINED), tmp_path / "killed"
    distil_until_killed(monkeypatch, 31, chosen, paths(tiny, killed))
    train(tiny, killed, chosen)
    same_run(killed, stored)


@pytest.mark.parametrize("source", ["live", "stored"])
def test_stacked_layers_learn_from_all_layers_too(tiny, tmp_path, source) -> None:
    chosen = settings(source, **COMBINED, schedule="stacked", output_from="end")
    history = pd.read_csv(train(tiny, tmp_path / "run", chosen) / "history.csv")
    assert history["hidden_mse_layer2"].isna().tolist() == [True, True, False, False, True]


def test_objectives_of_single_layers_are_refused() -> None:
    with pytest.raises(UserError, match="layer_map: all does not fit cls_cosine"):
        LayerLoss("cls_cosine", combined=True)
