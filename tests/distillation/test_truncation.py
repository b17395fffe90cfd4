"""Layers that no active loss reads are not run, and nothing that is recorded changes by it."""

import copy
from dataclasses import replace

import pytest
import torch

from internal_kd.distillation import objective as objective_module
from internal_kd.distillation.objective import DistillationObjective, signal_request
from internal_kd.distillation.schedules import Schedule, make_phases
from internal_kd.distillation.signal_source import SignalOptions, TeacherOfSplit, signal_source
from internal_kd.distillation.signals import LiveSignals
from internal_kd.distillation.training import Training, batches_of
from internal_kd.evaluation.trained import predict, scores_of
from internal_kd.models.capture import FrozenTeacher
from internal_kd.models.loading import load_classifier
from internal_kd.specs.training import ObjectiveSettings, TrainingSettings
from internal_kd.streams import Streams
from tests.distillation.splits import tiny_split
from tests.models.tiny import tiny_model

EPOCHS = 4
OBJECTIVE = ObjectiveSettings({"attention_kl": 1.0, "cls_cosine": 1.0}, {"soft": 1.0})
TIMES = ("train_seconds", "evaluation_seconds")


def student_of(family: str, folder):
    """A student of two layers without dropout; a BERT is ours."""
    model = tiny_model(family, layers=2, seed=1)
    for name in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
        setattr(model.config, name, 0.0)
    if family == "bert":
        model.save_pretrained(folder)
        return load_classifier(folder)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model


def history_of(student, family: str, kind: str, updates: str, source: str, folder):
    """Rows without times, and the trained student."""
    split, cpu = tiny_split(20), torch.device("cpu")
    student = copy.deepcopy(student)
    tiny_model(family).save_pretrained(folder / "teacher")
    model = tiny_model(family)
    teacher = TeacherOfSplit(
        lambda: FrozenTeacher(model), model.config, folder / "teacher", split, 0, cpu
    )
    options = SignalOptions(source, folder=folder / "signals")
    signals = signal_source(teacher, signal_request(OBJECTIVE, {1: 2, 2: 4}), options)
    settings, streams = TrainingSettings(EPOCHS, 4, 1e-3, keep="last"), Streams("student", "rte", 0)
    training = Training(
        student,
        batches_of(split, settings, streams, 0, cpu),
        DistillationObjective(OBJECTIVE, signals),
        Schedule(make_phases(kind, {1: 1, 2: 1}, "end", updates)),
        settings,
        evaluate=lambda model: {"validation": scores_of(predict(model, split, 0, cpu))},
        selected_by=("validation", "accuracy"),
        streams=streams,
    )
    rows = training.run().history
    return [{k: v for k, v in row.items() if k not in TIMES} for row in rows], student


def run_everything(monkeypatch) -> None:
    """Undo the truncation of student and teacher."""
    capture, call = objective_module.capture, LiveSignals.__call__
    monkeypatch.setattr(
        objective_module,
        "capture",
        lambda model, batch, request: capture(model, batch, replace(request, logits=True)),
    )
    monkeypatch.setattr(
        LiveSignals, "__call__", lambda self, batch, layers, logits: call(self, batch, layers, True)
    )


def assert_alike(ours, theirs) -> None:
    """Rows of two histories: words are equal, numbers within rounding."""
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.keys() == other.keys()
        for name, value in other.items():
            if isinstance(value, float):
                value = pytest.approx(value, rel=1e-5, abs=1e-7)
            assert mine[name] == value, name


@pytest.mark.parametrize("family", ["bert", "roberta", "distilbert"])
@pytest.mark.parametrize("kind", ["progressive", "stacked"])
@pytest.mark.parametrize("internal", ["all", "active"])
def test_histories_are_those_of_whole_passes(family, kind, internal, tmp_path, monkeypatch) -> None:
    student = student_of(family, tmp_path)
    truncated, ours = history_of(student, family, kind, internal, "live", tmp_path)
    run_everything(monkeypatch)
    whole, theirs = history_of(student, family, kind, internal, "live", tmp_path)
    assert len(truncated) == EPOCHS
    assert_alike(truncated, whole)
    for (name, a), b in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        # The gradient of a key's bias is zero but for rounding, of which Adam makes whole steps.
        if not name.endswith(("key.bias", "k_lin.bias")):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6, msg=name)


@pytest.mark.parametrize("kind", ["progressive", "stacked"])
def test_live_and_stored_signals_give_the_same_history(kind, tmp_path) -> None:
    student = student_of("bert", tmp_path)
    live, _ = history_of(student, "bert", kind, "all", "live", tmp_path)
    kept, _ = history_of(student, "bert", kind, "all", "stored", tmp_path)
    assert_alike(live, kept)
