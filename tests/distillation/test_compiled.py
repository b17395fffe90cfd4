"""Compiled trainings have the same histories, and report where they are not possible."""

import shutil
import subprocess
import sys

import pytest
import torch

from internal_kd.distillation import compiled
from internal_kd.distillation.compiled import CompiledObjective
from internal_kd.distillation.finetuning import finetuning_objective
from internal_kd.distillation.schedules import Phase
from internal_kd.errors import UserError
from internal_kd.specs.training import ObjectiveSettings
from tests.distillation.test_truncation import assert_alike
from tests.distillation.tiny_training import make_pair, rows_of
from tests.models.tiny import tiny_model

COSINE_ALONE = ObjectiveSettings({"cls_cosine": 1.0}, {})
ATTENTION_ALONE = ObjectiveSettings({"attention_kl": 1.0}, {"soft": 1.0})


@pytest.fixture
def traced(monkeypatch):
    """Passes are traced as ever, but run by torch's own kernels: generating others takes long."""
    options = {"backend": "aot_eager", "dynamic": False, "fullgraph": True}
    monkeypatch.setattr(compiled, "OPTIONS", options)
    yield
    torch._dynamo.reset()


def assert_same_training(pair, kind, source, **settings) -> None:
    """Histories and parameters of a compiled and of an ordinary training agree."""
    plain = pair.training(kind, source, **settings)
    other = pair.training(kind, source, compile=True, **settings)
    assert_alike(rows_of(other), rows_of(plain))
    named = zip(other.model.named_parameters(), plain.model.parameters(), strict=True)
    for (name, ours), theirs in named:
        # The gradient of a key's bias is zero but for rounding, of which Adam makes whole steps.
        if not name.endswith("key.bias"):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6, msg=name)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "source", "longest", "settings"),
    [
        ("simultaneous", "stored", 10, {"epochs": 1}),
        ("progressive", "stored", 8, {"updates": ("active", "head")}),
        ("stacked", "live", 8, {"objective": ATTENTION_ALONE}),
    ],
)
def test_histories_are_those_of_ordinary_trainings(
    kind, source, longest, settings, traced, tmp_path
) -> None:
    """Through all stages, with parameters that rest in some of them, and a last smaller batch."""
    pair = make_pair(tmp_path, longest=longest)
    assert len(pair.split) % 4
    assert_same_training(pair, kind, source, **settings)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch's compiler needs g++")
def test_generated_kernels_give_the_same_gradients(tmp_path, monkeypatch) -> None:
    """One layer and one loss: each kernel takes seconds to compile."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "kernels"))
    pair, stage = make_pair(tmp_path), Phase((1,), output=False)
    training = pair.training(compile=True, objective=COSINE_ALONE)
    student, batch = training.model.train(), next(training.batches.epoch(1))
    found = []
    for objective in (training.objective, training.objective.objective):
        student.zero_grad()
        loss, terms = objective(student, batch, stage)
        loss.backward()
        gradients = [p.grad.flatten() for p in student.parameters() if p.grad is not None]
        found.append((loss.detach(), terms["cls_cosine"].detach(), torch.cat(gradients)))
    torch.testing.assert_close(*found)


def test_each_shape_and_stage_is_compiled_once(tmp_path, monkeypatch) -> None:
    """Counted by a backend that does not change the graphs."""
    graphs = []

    def backend(graph, _):
        graphs.append(graph)
        return graph.forward

    options = {"backend": backend, "dynamic": False, "fullgraph": True}
    monkeypatch.setattr(compiled, "OPTIONS", options)
    torch._dynamo.reset()
    make_pair(tmp_path, longest=10).training(compile=True, epochs=1, batch_size=2).run()
    assert len(graphs) == 2
    torch._dynamo.reset()


def test_fine_tuning_is_compiled_too(traced, tmp_path) -> None:
    pair, stage = make_pair(tmp_path), Phase((), output=True)
    batch = next(pair.training(compile=True).batches.epoch(1))
    objective = CompiledObjective(finetuning_objective, pair.student, 4)
    losses = [f(pair.student, batch, stage)[0] for f in (objective, finetuning_objective)]
    torch.testing.assert_close(*losses)


def test_dropout_is_compiled_too(traced, tmp_path) -> None:
    """With numbers that the seed decides, and others in each step."""
    pair, stage = make_pair(tmp_path), Phase((), output=True)
    for module in pair.student.modules():
        if isinstance(getattr(module, "dropout", None), float):
            module.dropout = 0.1
    batch = next(pair.training(compile=True).batches.epoch(1))
    objective = CompiledObjective(finetuning_objective, pair.student.train(), 4)
    losses = []
    for seed in (0, 0, None):
        if seed is not None:
            torch.manual_seed(seed)
        losses.append(objective(pair.student, batch, stage)[0].item())
    assert losses[0] == losses[1] != losses[2]
    pair.student.eval()
    assert objective(pair.student, batch, stage)[0].item() not in losses


def test_a_smaller_batch_is_not_compiled(tmp_path) -> None:
    pair, stage = make_pair(tmp_path), Phase((), output=True)
    batch = next(pair.training().batches.epoch(1))
    objective = CompiledObjective(finetuning_objective, pair.student, 5)
    objective._compiled = None
    assert objective(pair.student, batch, stage)[0].requires_grad


def test_other_families_are_rejected() -> None:
    with pytest.raises(UserError, match=r"training\.compile: a RobertaFor.* write compile: false"):
        CompiledObjective(finetuning_objective, tiny_model("roberta"), 4)


def test_a_missing_compiler_is_reported(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(UserError, match=r"training\.compile: .* install g\+\+"):
        CompiledObjective(finetuning_objective, make_pair(tmp_path).student, 4)


TRAINS = """
import sys
import numpy as np
from internal_kd.data.encoding import EncodedSplit
from internal_kd.distillation.finetuning import finetuning_objective
from internal_kd.distillation.schedules import Schedule
from internal_kd.specs.training import TrainingSettings
from internal_kd.distillation.training import Training, batches_of
from internal_kd.models.bert import load_bert
from internal_kd.streams import Streams
ids, offsets, labels = np.arange(12, dtype=np.int32), np.arange(0, 13, 3), np.array([0, 1, 0, 1])
split = EncodedSplit(ids, np.zeros(12, np.uint8), offsets, labels, np.arange(4))
model, settings = load_bert(sys.argv[1]), TrainingSettings(2, 2, 1e-3)
streams = Streams("student", "rte", 0)
batches = batches_of(split, settings, streams, 0, model.device)
Training(
    model, batches, finetuning_objective, Schedule(), settings,
    evaluate=lambda model: {"validation": {"accuracy": 0.0}},
    selected_by=("validation", "accuracy"), streams=streams,
).run()
print("torch._dynamo" in sys.modules)
"""


def test_the_compiler_is_not_loaded_where_the_key_is_off(tmp_path) -> None:
    make_pair(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", TRAINS, str(tmp_path / "student")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"
