"""A student with an objective of the user's own: stored and live signals, two families, a kill."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from internal_kd.data.batches import assemble
from internal_kd.data.encoding import load_tokens
from internal_kd.evaluation.predictions import read_predictions
from internal_kd.jobs import distill
from internal_kd.models.capture import capture
from internal_kd.models.features import CaptureRequest
from internal_kd.models.loading import load_classifier
from internal_kd.objectives import registry
from internal_kd.objectives.extensions import load_extensions
from internal_kd.objectives.functions import LayerLoss
from internal_kd.specs.experiments import make_experiment
from tests.extension import forgotten, write_extension
from tests.jobs.test_resume import distil_until_killed, same_run, settings_of
from tests.jobs.test_starts import study_of
from tests.jobs.tiny_study import call, experiment_settings

COLUMNS = {"projected_mse", "projected_mse_layer1", "projected_mse_layer2"}


@pytest.fixture(autouse=True)
def _forgotten():
    with forgotten():
        yield


@pytest.fixture(scope="module", params=["bert", "roberta"])
def folder(request, tmp_path_factory) -> Path:
    folder = study_of(tmp_path_factory.mktemp(request.param), request.param)
    write_extension(folder)
    return folder


def settings(folder: Path, source: str = "auto", **experiment) -> dict:
    """Of a run that has the objective, beside the soft labels."""
    chosen = experiment_settings("exp3.2") | {"internal": {"projected_mse": 1.0}} | experiment
    files = [str(folder / "my_objectives.py")]
    signals = {"source": source, "attention": "fp32"}
    return settings_of("exp3.2", signals=signals) | {"experiment": chosen, "extensions": files}


def train(folder: Path, out: Path, chosen: dict) -> Path:
    call(distill, chosen, **paths(folder, out))
    return out


def paths(folder: Path, out: Path) -> dict:
    return {
        "init": folder / "init",
        "data": folder / "rte.npz",
        "teacher": folder / "teacher/model",
        "out": out,
        "checkpoints": out.with_name(f"{out.name}-checkpoints"),
        "signals": out.parent / "signals",
        "signals-mb": "100",
    }


def test_it_learns_and_is_recorded_in_the_history(folder, tmp_path) -> None:
    run = train(folder, tmp_path / "run", settings(folder))
    history = pd.read_csv(run / "history.csv")
    assert set(history.columns) >= COLUMNS
    assert history["projected_mse"].iloc[-1] < 0.7 * history["projected_mse"].iloc[0]
    recorded = json.loads((run / "metrics.json").read_text())["signals"]
    assert set(recorded["stores"]) == {"logits", "hidden_2-4"}


def test_the_saved_model_has_no_projection(folder, tmp_path) -> None:
    run = train(folder, tmp_path / "run", settings(folder))
    saved = load_file(run / "model/model.safetensors")
    plain = {**experiment_settings("exp2.0")}
    other = train(folder, tmp_path / "other", settings_of("exp2.0") | {"experiment": plain})
    assert saved.keys() == load_file(other / "model/model.safetensors").keys()


def test_stored_and_live_signals_give_the_same_student(folder, tmp_path) -> None:
    logits = []
    for source in ("live", "stored"):
        run = train(folder, tmp_path / source, settings(folder, source))
        assert json.loads((run / "metrics.json").read_text())["signals"]["source"] == source
        logits.append(read_predictions(run / "predictions.parquet")["validation"].logits)
    np.testing.assert_allclose(logits[0], logits[1], atol=1e-3)


@pytest.mark.parametrize("schedule", ["simultaneous", "stacked"])
def test_a_killed_run_equals_an_uninterrupted_one(folder, tmp_path, monkeypatch, schedule) -> None:
    monkeypatch.setenv("INTERNAL_KD_CHECKPOINT_MINUTES", "0")
    output = "start" if schedule == "simultaneous" else "end"
    chosen = settings(folder, schedule=schedule, output_from=output)
    whole = train(folder, tmp_path / "whole", chosen)
    killed = tmp_path / "killed"
    distil_until_killed(monkeypatch, 31, chosen, paths(folder, killed))
    train(folder, killed, chosen)
    same_run(killed, whole)


@pytest.mark.parametrize("source", ["live", "stored"])
def test_an_output_objective_reads_the_teachers_logits(folder, tmp_path, source) -> None:
    load_extensions([str(folder / "my_objectives.py")])
    experiment = make_experiment("mine", {"label": "", "output": {"logits_mse": 1.0}})
    assert experiment.needs_teacher
    chosen = settings(folder, source, internal={}, output={"logits_mse": 1.0})
    run = train(folder, tmp_path / "run", chosen)
    history = pd.read_csv(run / "history.csv")
    assert history["logits_mse"].iloc[-1] < 0.9 * history["logits_mse"].iloc[0]
    signals = json.loads((run / "metrics.json").read_text())["signals"]
    assert signals["source"] == source
    assert source == "live" or set(signals["stores"]) == {"logits"}


def test_its_loss_is_that_of_the_formula(folder) -> None:
    load_extensions([str(folder / "my_objectives.py")])
    split = load_tokens(folder / "rte.npz")[0]["train"]
    batch = assemble(split, np.array([0, 5, 9]), 0)
    teacher, student = (
        load_classifier(folder / name).eval() for name in ("teacher/model", "teacher/model")
    )
    with torch.no_grad():
        taught = capture(teacher, batch, CaptureRequest.of(["hidden"], [4])).of_layer("hidden", 4)
        own = capture(student, batch, CaptureRequest.of(["hidden"], [2])).of_layer("hidden", 2)
    loss, projection = LayerLoss("projected_mse"), torch.nn.Linear(16, 16)
    mask = batch.attention_mask
    found = loss({"hidden": own}, {"hidden": taught * mask[:, :, None]}, mask, projection)
    exact = projection.double()(own.double()) - taught.double()
    real = mask.bool()
    expected = exact[real].square().mean()
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    assert registry.OBJECTIVES["projected_mse"].target == "hidden"
