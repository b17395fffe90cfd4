"""A general student learns from the base model on unlabelled text."""

import csv
import json
from pathlib import Path

import pytest
import torch

from internal_kd.data.corpus import load_corpus
from internal_kd.distillation.agnostic import AgnosticBuilder, AgnosticFiles, mean_losses
from internal_kd.distillation.objective import DistillationObjective
from internal_kd.distillation.progress import progress_file
from internal_kd.errors import UserError
from internal_kd.jobs import agnostic, corpus, embedded, student
from internal_kd.models.pretrained import load_encoder
from internal_kd.specs.agnostic import AgnosticJob
from internal_kd.specs.jobs import decode
from tests.jobs.test_resume import Killed
from tests.jobs.tiny_study import call, write_base

CPU = torch.device("cpu")
MEASURED = ("train_seconds", "evaluation_seconds")
TEXT = "".join(f"w{k % 37} w{k * k % 41} w{k % 11} w{k % 5}\n\n" for k in range(120))
STEPS, EVERY = 12, 4


def job_settings(layers: int = 2, **changes) -> dict:
    training = {"steps": STEPS, "evaluate_every": EVERY, "batch_size": 8, "learning_rate": 1e-3}
    usual = {
        "layers": layers,
        "seed": 0,
        "layer_map": "uniform",
        "internal": {"attention_mse": 1.0, "hidden_mse": 0.5},
        "layer_reduction": "mean",
        "relation_heads": None,
        "masking": {},
        "training": training,
        "held_out": 16,
    }
    return usual | changes


@pytest.fixture(scope="module")
def text(tmp_path_factory) -> Path:
    """A base model of four layers, initial students, and the tokens of a file."""
    folder = tmp_path_factory.mktemp("text")
    write_base(folder / "base", layers=4)
    for layers in (2, 4):
        settings = {"init": "upper", "layers": layers}
        call(student, settings, base=folder / "base", out=folder / f"init{layers}")
    (folder / "text.txt").write_text(TEXT)
    source = {"source": "files", "path": str(folder / "text.txt")}
    cut = {"max_length": 16, "pack": False}
    call(corpus, source | cut, base=folder / "base", out=folder / "corpus")
    return folder


def paths_of(text: Path, out: Path, layers: int = 2) -> dict[str, Path]:
    read = {"base": text / "base", "init": text / f"init{layers}", "corpus": text / "corpus"}
    return {**read, "out": out, "checkpoints": out.with_name(f"{out.name}-checkpoints")}


def builder_of(text: Path, layers: int = 2, **changes) -> AgnosticBuilder:
    job = decode(job_settings(layers, **changes), AgnosticJob)
    files = AgnosticFiles(text / "base", text / f"init{layers}", text / "corpus")
    return AgnosticBuilder(job, files, CPU)


def history(folder: Path) -> list[dict[str, str]]:
    with open(folder / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    return [{name: value for name, value in row.items() if name not in MEASURED} for row in rows]


@pytest.fixture(scope="module")
def undisturbed(text, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed") / "model"
    call(agnostic, job_settings(), **paths_of(text, out))
    return out


def test_its_files_are_an_encoder_with_tokenizer_history_and_metrics(undisturbed) -> None:
    assert {file.name for file in undisturbed.iterdir()} == {"history.csv", "metrics.json", "model"}
    assert not progress_file(undisturbed.with_name("model-checkpoints")).exists()
    rows = history(undisturbed)
    assert [row["step"] for row in rows] == ["4", "8", "12"]
    metrics = json.loads((undisturbed / "metrics.json").read_text())
    assert metrics["held_out"]["loss"] == float(rows[-1]["held_out_loss"])
    assert (metrics["layers"], metrics["steps"], metrics["sequences"]) == (2, STEPS, 104)
    assert {"loss", "attention_mse", "hidden_mse_layer2"} < set(metrics["held_out"])


def test_what_no_loss_reaches_is_as_in_the_initial_student(text, undisturbed) -> None:
    before = load_encoder(text / "init2").state_dict()
    after = load_encoder(undisturbed / "model").state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert not any(name.startswith("pooler") for name in changed)
    assert "encoder.layer.1.output.dense.weight" in changed
    assert before.keys() == after.keys()


def kill(monkeypatch, step: int, settings: dict, paths: dict[str, Path]) -> None:
    """Start a training that dies in its training step `step`, counted from 0."""
    calls = iter(range(10**6))
    whole = DistillationObjective.__call__

    def mortal(self, model, *arguments):
        if model.training and next(calls) == step:
            raise Killed
        return whole(self, model, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(DistillationObjective, "__call__", mortal)
        with pytest.raises(Killed):
            call(agnostic, settings, **paths)


@pytest.mark.parametrize(("minutes", "step"), [("0", 3), ("0", 4), ("0", 10), ("10", 6)])
def test_a_killed_training_ends_as_an_uninterrupted_one(
    text, undisturbed, tmp_path, monkeypatch, minutes, step
) -> None:
    monkeypatch.setenv("INTERNAL_KD_CHECKPOINT_MINUTES", minutes)
    paths = paths_of(text, tmp_path / "model")
    kill(monkeypatch, step, job_settings(), paths)
    assert not paths["out"].exists()
    call(agnostic, job_settings(), **paths)
    weights = "model/model.safetensors"
    assert (paths["out"] / weights).read_bytes() == (undisturbed / weights).read_bytes()
    assert history(paths["out"]) == history(undisturbed)
    assert not paths["checkpoints"].exists()


def test_the_teacher_has_neither_dropout_nor_gradients_nor_labels(text) -> None:
    builder = builder_of(text)
    training = builder.training(None)
    batch = next(training.batches.epoch(1))
    assert set(batch.labels.tolist()) == {-1}
    training.model.train()
    signals = training.objective.signals
    one, other = (signals(batch, (1, 2), logits=False).fields for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert not any(value.requires_grad for value in one.values())
    assert not any(p.requires_grad for p in builder.teacher.parameters())


def test_a_student_that_is_the_base_model_has_no_loss(text) -> None:
    """All four layers, as they are, read the same masked tokens as their teachers."""
    builder = builder_of(text, layers=4)
    training = builder.training(None)
    found = training.evaluate(training.model)["held_out"]
    assert found["loss"] == pytest.approx(0, abs=1e-10)


def test_held_out_losses_are_means_over_sequences(text) -> None:
    builder = builder_of(text, internal={"attention_mse": 1.0})
    training = builder.training(None)
    phase, batches = training.schedule.phase, builder._held_out_batches
    whole = mean_losses(training.model, training.objective, phase, batches)
    assert whole == training.evaluate(training.model)["held_out"]
    one, term = training.objective(training.model, batches[0], phase)
    assert whole["loss"] == pytest.approx(one.item(), rel=1e-5)
    assert whole["attention_mse"] == pytest.approx(term["attention_mse"].item(), rel=1e-5)


def test_models_of_a_seed_read_the_same_batches(text) -> None:
    one, other, seeded = (
        builder_of(text, **changes).training(None).batches
        for changes in ({}, {"internal": {"cls_cosine": 1.0}}, {"seed": 1})
    )
    first = [batch.input_ids for batch in one.epoch(1)]
    assert all(map(torch.equal, first, (batch.input_ids for batch in other.epoch(1))))
    assert not all(
        a.shape == b.shape and torch.equal(a, b)
        for a, b in zip(first, (batch.input_ids for batch in seeded.epoch(1)), strict=True)
    )


def test_a_corpus_that_is_too_small_is_reported(text) -> None:
    sequences = len(load_corpus(text / "corpus").split)
    with pytest.raises(UserError, match=r"corpus\.held_out"):
        builder_of(text, held_out=sequences)
    with pytest.raises(UserError, match="corpus: has 2 sequences beside those held out"):
        builder_of(text, held_out=sequences - 2).training(None)


def test_sequences_beyond_the_positions_of_the_base_model_are_reported(text, tmp_path, capfd):
    source = {"source": "files", "path": str(text / "text.txt"), "pack": True}
    with pytest.raises(SystemExit):
        call(corpus, source | {"max_length": 600}, base=text / "base", out=tmp_path / "out")
    assert "corpus.max_length: is 600, but the base model has" in capfd.readouterr().err


@pytest.mark.slow
def test_losses_fall_on_generated_text(tmp_path) -> None:
    call(embedded, {"layers": 8}, out=tmp_path / "base")
    call(student, {"init": "lower", "layers": 3}, base=tmp_path / "base", out=tmp_path / "init")
    source = {"source": "embedded", "examples": 1500, "seed": 1, "max_length": 64, "pack": False}
    call(corpus, source, base=tmp_path / "base", out=tmp_path / "corpus")
    settings = job_settings(3, training={"steps": 60, "evaluate_every": 20}, held_out=100)
    paths = {name: tmp_path / name for name in ("base", "init", "corpus", "out")}
    call(agnostic, settings, **paths)
    rows = [float(row["held_out_loss"]) for row in history(tmp_path / "out")]
    assert rows[0] > rows[1] > rows[2]
    assert float(history(tmp_path / "out")[0]["loss"]) > 1.5 * rows[-1]
