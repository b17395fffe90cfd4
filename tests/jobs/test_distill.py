"""Real short trainings: the paper's description of its algorithms, checked on the runs' files."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from internal_kd.data.encoding import load_tokens, save_tokens
from internal_kd.evaluation.predictions import read_predictions
from internal_kd.jobs import distill
from internal_kd.reporting.runs import read_run_folders
from internal_kd.specs.training import TrainingSettings
from internal_kd.study.glue import GLUE
from tests.conftest import ROOT
from tests.jobs.tiny_study import (
    DISTILLATION,
    SELECTION,
    TRAINING,
    call,
    experiment_settings,
    run_of,
    write_tokens,
)

INTERNAL = ["attention_kl", "cls_cosine"]
STUDENTS = ["exp1.1", "exp2.0", *(f"exp3.{k}" for k in range(7))]


def distil(tiny: Path, out: Path, name: str, *, seed=0, data="rte.npz", **changes) -> Path:
    """One run of an experiment; `changes` go to its training, distillation or selection
    settings, and to the `experiment` itself.
    """
    keys = {field.name for field in fields(TrainingSettings)}
    training = TRAINING | {k: v for k, v in changes.items() if k in keys}
    distillation = DISTILLATION | {k: v for k, v in changes.items() if k in DISTILLATION}
    settings = {
        "run": run_of(name, seed=seed, percent=changes.get("percent", 100)),
        "experiment": experiment_settings(name, **changes.get("experiment", {})),
        "training": training,
        "distillation": distillation,
        "selection": changes.get("selection", SELECTION),
        "teacher_seed": 0,
    }
    paths = {"init": tiny / "init", "data": tiny / data, "out": out}
    if name != "exp1.1":
        paths["teacher"] = tiny / "teacher/model"
    call(distill, settings, **paths, **{"signals": out.parent / "signals", "signals-mb": "100"})
    return out


@pytest.fixture(scope="module")
def histories(tiny, tmp_path_factory) -> dict[str, pd.DataFrame]:
    """The history of every student experiment."""
    folder = tmp_path_factory.mktemp("runs")
    return {
        name: pd.read_csv(distil(tiny, folder / name, name) / "history.csv") for name in STUDENTS
    }


def acting(history: pd.DataFrame, term: str) -> list[tuple[int, ...]]:
    """For each epoch the layers whose loss `term` acts."""
    columns = [f"{term}_layer{layer}" for layer in (1, 2)]
    present = history.reindex(columns=columns).notna().to_numpy()
    return [tuple(int(layer) + 1 for layer in np.flatnonzero(row)) for row in present]


@pytest.mark.parametrize("term", INTERNAL)
def test_progressive_distils_one_layer_at_a_time(histories, term) -> None:
    assert acting(histories["exp3.3"], term) == [(1,), (1,), (2,), (2,), ()]


@pytest.mark.parametrize("name", ["exp3.4", "exp3.5", "exp3.6"])
@pytest.mark.parametrize("term", INTERNAL)
def test_stacked_keeps_the_layers_below(histories, name, term) -> None:
    assert acting(histories[name], term) == [(1,), (1,), (1, 2), (1, 2), ()]


@pytest.mark.parametrize(("name", "terms"), [("exp3.0", INTERNAL[:1]), ("exp3.1", INTERNAL[1:])])
def test_simultaneous_distils_all_layers_in_every_epoch(histories, name, terms) -> None:
    for term in INTERNAL:
        expected = (1, 2) if term in terms else ()
        assert acting(histories[name], term) == [expected] * 5


def test_output_loss_of_pid_and_sid_acts_only_after_the_last_layer(histories) -> None:
    for name in ("exp3.3", "exp3.4"):
        history = histories[name]
        assert history["soft"].notna().tolist() == [False] * 4 + [True]
        assert history["output_active"].tolist() == [0, 0, 0, 0, 1]
        assert history["stage"].iloc[-1] == "output"


def test_output_loss_of_the_last_two_experiments_acts_all_the_time(histories) -> None:
    for name in ("exp3.5", "exp3.6"):
        assert histories[name]["soft"].notna().all()
    assert histories["exp3.6"]["hard"].notna().all()
    assert "hard" not in histories["exp3.5"]


def test_hard_labels_weigh_a_tenth_in_experiment_3_6(histories) -> None:
    history = histories["exp3.6"]
    parts = history[["attention_kl", "cls_cosine", "soft"]].sum(axis=1)
    np.testing.assert_allclose(history["loss"], parts + 0.1 * history["hard"], rtol=1e-5)


def test_without_teacher_only_hard_labels_act(histories) -> None:
    np.testing.assert_allclose(histories["exp1.1"]["loss"], histories["exp1.1"]["hard"])
    assert "soft" not in histories["exp1.1"]


def test_loss_of_experiment_2_0_is_equation_1_without_hard_labels(histories) -> None:
    np.testing.assert_allclose(histories["exp2.0"]["loss"], histories["exp2.0"]["soft"])


def test_stacked_losses_are_sums_and_simultaneous_ones_means(histories) -> None:
    for name, factor in (("exp3.4", 1.0), ("exp3.2", 0.5)):
        history = histories[name]
        both = history.dropna(subset=["attention_kl_layer1", "attention_kl_layer2"])
        total = both["attention_kl_layer1"] + both["attention_kl_layer2"]
        np.testing.assert_allclose(both["attention_kl"], total * factor, rtol=1e-5)


def test_finished_layers_are_logged_with_their_reason(histories) -> None:
    finished = histories["exp3.4"][["epoch", "finished_layer", "finished_reason"]].dropna()
    assert finished.values.tolist() == [[2, 1, "limit"], [4, 2, "limit"]]


def test_threshold_ends_a_layer_early(tiny, tmp_path) -> None:
    out = distil(tiny, tmp_path / "run", "exp3.4", cosine_threshold=2.5)
    history = pd.read_csv(out / "history.csv")
    assert history["finished_reason"].dropna().tolist() == ["threshold", "threshold"]
    assert history["stage"].tolist() == ["layers 1", "layers 1 2", "output", "output", "output"]
    (run,) = read_run_folders([out], GLUE)
    assert [(event.layer, event.epoch) for event in run.metrics.schedule] == [(1, 1), (2, 2)]


def test_same_seed_gives_the_same_predictions(tiny, tmp_path) -> None:
    runs = [distil(tiny, tmp_path / str(k), "exp3.2") for k in range(2)]
    other = distil(tiny, tmp_path / "other", "exp3.2", seed=1)
    files = [(run / "predictions.parquet").read_bytes() for run in (*runs, other)]
    assert files[0] == files[1]
    assert files[0] != files[2]


def test_live_signals_give_the_same_student(tiny, tmp_path) -> None:
    logits = []
    for source in ("live", "stored"):
        signals = {"source": source, "attention": "fp32"}
        run = distil(tiny, tmp_path / source, "exp3.2", signals=signals)
        recorded = json.loads((run / "metrics.json").read_text())["signals"]
        assert recorded["source"] == source
        logits.append(read_predictions(run / "predictions.parquet")["validation"].logits)
    np.testing.assert_allclose(logits[0], logits[1], atol=1e-3)


def test_files_of_a_run(tiny, tmp_path) -> None:
    run = distil(tiny, tmp_path / "run", "exp3.2", percent=50)
    assert {path.name for path in run.iterdir()} == {
        "history.csv",
        "metrics.json",
        "model",
        "predictions.parquet",
    }
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["run"]["percent"] == 50
    assert set(metrics["test"]) == set(metrics["validation"]) == set(metrics["majority"]["test"])
    (read,) = read_run_folders([run], GLUE)
    assert read.metrics.scores == {split: metrics[split] for split in read.metrics.scores}
    assert read.metrics.parameters.total == metrics["parameters"]["total"]
    predictions = read_predictions(run / "predictions.parquet")
    assert {name: len(frame.labels) for name, frame in predictions.items()} == {
        "validation": 64,
        "test": 40,
    }


def test_speed_is_that_of_the_epochs_and_memory_that_of_the_process(tiny, tmp_path) -> None:
    run = distil(tiny, tmp_path, "exp2.0")
    speed = json.loads((run / "metrics.json").read_text())["speed"]
    history = pd.read_csv(run / "history.csv")
    lengths = load_tokens(tiny / "rte.npz")[0]["train"].lengths
    expected = len(history) * len(lengths) / history["train_seconds"].sum()
    assert speed["device"] == "cpu"
    assert speed["examples_per_second"] == pytest.approx(expected, rel=0.01)
    assert speed["seconds_per_example"] == pytest.approx(1 / expected, rel=0.01)
    longest = lengths.mean() / lengths.max()
    assert longest < speed["real_tokens_per_padded_token"] <= 1
    assert 100 < speed["peak_memory_mb"] < 100_000


def test_unlabelled_test_has_predictions_but_no_score(tiny, tmp_path) -> None:
    write_tokens(tiny / "unlabelled.npz", unlabelled_test=True)
    run = distil(tiny, tmp_path / "run", "exp1.1", data="unlabelled.npz")
    assert json.loads((run / "metrics.json").read_text())["test"] is None
    assert len(read_predictions(run / "predictions.parquet")["test"].logits) == 40


def test_half_precision_trains(tiny, tmp_path) -> None:
    run = distil(tiny, tmp_path / "run", "exp3.2", precision="bf16")
    assert np.isfinite(pd.read_csv(run / "history.csv")["loss"]).all()


RELOAD = """
import sys, numpy as np, torch
from transformers import AutoModelForSequenceClassification
from internal_kd.data.batches import assemble
from internal_kd.data.encoding import load_tokens
from internal_kd.evaluation.predictions import read_predictions

run, tokens = sys.argv[1:]
model = AutoModelForSequenceClassification.from_pretrained(run + "/model").eval()
split = load_tokens(tokens)[0]["validation"]
expected = read_predictions(run + "/predictions.parquet")["validation"]
batch = assemble(split, np.arange(len(split)), pad_token_id=0)
with torch.no_grad():
    logits = model(
        input_ids=batch.input_ids,
        token_type_ids=batch.token_type_ids,
        attention_mask=batch.attention_mask,
    ).logits.numpy()
np.testing.assert_allclose(logits, expected.logits, atol=1e-5)
assert (logits.argmax(1) == expected.predictions).all()
assert model.config.id2label == {0: "entailment", 1: "not_entailment"}
"""


def test_saved_student_gives_the_recorded_predictions_in_a_fresh_process(tiny, tmp_path) -> None:
    run = distil(tiny, tmp_path / "run", "exp3.4")
    command = [sys.executable, "-c", RELOAD, str(run), str(tiny / "rte.npz")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    subprocess.run(command, check=True, env=environment)


def test_teacher_learnt_and_students_follow(tiny, histories) -> None:
    """The tiny task is learnable: the training loop really minimises its loss."""
    for term in ("soft", *INTERNAL):
        values = histories["exp3.2"][term]
        assert values.iloc[-1] < values.iloc[0]
    assert json.loads((tiny / "teacher/metrics.json").read_text())["flags"] == []


def assert_reported(capsys, *words: str) -> None:
    """One sentence on the terminal with these words, and no traceback."""
    text = capsys.readouterr().err
    assert "Traceback" not in text
    for word in words:
        assert word in text


def test_labels_of_another_order_are_refused(tiny, tmp_path, capsys) -> None:
    splits, meta = load_tokens(tiny / "rte.npz")
    save_tokens(tiny / "swapped.npz", splits, replace(meta, labels=meta.labels[::-1]))
    with pytest.raises(SystemExit) as stop:
        distil(tiny, tmp_path / "run", "exp2.0", data="swapped.npz")
    assert stop.value.code == 2
    assert_reported(capsys, "labels", "entailment", "label order")


def test_diverged_training_is_reported(tiny, tmp_path, capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        distil(tiny, tmp_path / "run", "exp1.1", learning_rate=1e30, max_grad_norm=0.0)
    assert stop.value.code == 2
    assert_reported(capsys, "loss", "learning_rate")


def test_flags_of_a_teacher_that_never_learnt_reach_its_students(tiny, tmp_path) -> None:
    bad = tmp_path / "bad"
    shutil.copytree(tiny / "teacher", bad / "teacher")
    for name in ("init", "rte.npz"):
        (bad / name).symlink_to(tiny / name)
    metrics = json.loads((bad / "teacher/metrics.json").read_text())
    (bad / "teacher/metrics.json").write_text(json.dumps({**metrics, "flags": ["at_majority"]}))
    run = distil(bad, tmp_path / "run", "exp2.0")
    assert "teacher_at_majority" in json.loads((run / "metrics.json").read_text())["flags"]


def test_the_best_epoch_is_that_of_the_requested_metric(tiny, tmp_path) -> None:
    kept = {}
    for metric in (None, "f1", "mcc"):
        run = distil(tiny, tmp_path / str(metric), "exp3.2", keep_metric=metric, epochs=6)
        history = pd.read_csv(run / "history.csv")
        best = history[f"validation_{metric or 'accuracy'}"].idxmax()
        kept[metric] = json.loads((run / "metrics.json").read_text())["selected_epoch"]
        assert kept[metric] == history["epoch"][best]


def test_what_is_held_out_chooses_the_epoch_and_is_not_trained_on(tiny, tmp_path) -> None:
    selection = {"split": "holdout", "share": 0.25}
    run = distil(tiny, tmp_path / "run", "exp3.2", selection=selection)
    history = pd.read_csv(run / "history.csv")
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["train_examples"] == 72
    assert metrics["selected_epoch"] == history["epoch"][history["holdout_accuracy"].idxmax()]
    kept = history.set_index("epoch").loc[metrics["selected_epoch"]]
    assert metrics["validation"]["accuracy"] == pytest.approx(kept["validation_accuracy"])


def test_scores_of_the_last_epoch_stand_beside_those_of_the_kept_one(tiny, tmp_path) -> None:
    run = distil(tiny, tmp_path / "run", "exp3.2")
    history = pd.read_csv(run / "history.csv")
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["last_epoch"].keys() == metrics["validation"].keys()
    for name, value in metrics["last_epoch"].items():
        assert value == pytest.approx(history[f"validation_{name}"].iloc[-1])


@pytest.mark.parametrize("name", ["exp3.2", "exp3.4"])
def test_layers_are_summed_only_if_configured(tiny, tmp_path, name) -> None:
    found = {}
    for reduction in ("mean", "sum"):
        run = distil(
            tiny, tmp_path / reduction, name, experiment={"layer_reduction": reduction}, epochs=3
        )
        history = pd.read_csv(run / "history.csv")
        layers = history[[f"attention_kl_layer{layer}" for layer in (1, 2)]]
        parts = layers.sum(axis=1) if reduction == "sum" else layers.mean(axis=1)
        acting = layers.notna().any(axis=1)
        found[reduction] = history.loc[acting, "attention_kl"].tolist()
        assert found[reduction] == pytest.approx(parts[acting].tolist(), rel=1e-5)
    assert found["mean"] != found["sum"]
