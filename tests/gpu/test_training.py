"""Training on a GPU: `pytest -m gpu` runs this file on one; elsewhere the CPU goes through it.

So what a test does is known to work where there is no GPU, and what a GPU makes of it where there
is one. Only what a CPU does not have (graphs, waiting for a device) is skipped there.
"""

import copy
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from internal_kd.data.batches import assemble
from internal_kd.distillation.checkpoints import Checkpoints
from internal_kd.distillation.objective import DistillationObjective
from internal_kd.distillation.schedules import Phase
from internal_kd.distillation.signal_store import GatheredValues
from internal_kd.evaluation.trained import predict
from tests.distillation import reference
from tests.distillation.test_truncation import assert_alike
from tests.distillation.tiny_training import CPU, MATCHED, OBJECTIVE, Pair, make_pair, rows_of
from tests.models.captures import represent

NO_GPU = "needs a CUDA device"
ON_GPU = (pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason=NO_GPU))
DEVICES = ["cpu", pytest.param("cuda", marks=ON_GPU)]
KINDS = ("simultaneous", "progressive", "stacked")
ROWS = np.array([3, 0, 7, 5])
STAGE = Phase((1, 2), output=True)
ROUNDING = {"rtol": 1e-3, "atol": 1e-5}


@pytest.fixture(params=DEVICES)
def device(request) -> torch.device:
    """The CPU, or the first GPU."""
    return torch.device(request.param, 0) if request.param == "cuda" else CPU


@pytest.fixture
def pair(device, tmp_path) -> Pair:
    return make_pair(tmp_path, device, longest=10)


def outcome(pair, source, rows=ROWS, precision="fp32"):
    """Loss, terms and gradients of one batch, on the CPU."""
    student = copy.deepcopy(pair.student).train()
    objective = DistillationObjective(OBJECTIVE, pair.signals(source))
    batch = assemble(pair.split, rows, 0).to(pair.device)
    with torch.autocast(pair.device.type, torch.bfloat16, enabled=precision == "bf16"):
        loss, terms = objective(student, batch, STAGE)
    loss.backward()
    gradients = torch.cat([p.grad.flatten() for p in student.parameters()])
    return loss.item(), {name: term.item() for name, term in terms.items()}, gradients.cpu()


def sentences(model, split, rows):
    """Per example what a pass without padding yields in double precision, on the CPU."""
    model = copy.deepcopy(model).to(CPU).double().eval()
    with torch.no_grad():
        return [represent(model, assemble(split, np.array([row]), 0)) for row in rows]


def test_losses_are_those_of_the_equations(pair) -> None:
    _, terms, _ = outcome(pair, "live")
    teacher = sentences(pair.teacher.model, pair.split, ROWS)
    student = sentences(pair.student, pair.split, ROWS)
    logits = [torch.cat([one.logits for one in side]) for side in (student, teacher)]
    labels = torch.from_numpy(pair.split.labels[ROWS])
    expected = {
        "soft": reference.soft_cross_entropy(*logits),
        "hard": reference.hard_cross_entropy(logits[0], labels),
    }
    for layer, matched in MATCHED.items():
        scores = [
            [one.scores[k - 1][0] for one in side]
            for side, k in ((teacher, matched), (student, layer))
        ]
        cls = [
            torch.cat([one.cls[k - 1] for one in side])
            for side, k in ((teacher, matched), (student, layer))
        ]
        expected[f"attention_kl_layer{layer}"] = reference.attention_kl(*scores)
        expected[f"cls_cosine_layer{layer}"] = reference.cls_cosine(*cls)
    for name, value in expected.items():
        assert terms[name] == pytest.approx(value, rel=1e-4, abs=1e-6), name


@pytest.mark.parametrize("source", ["live", "stored"])
def test_gradients_are_those_of_double_precision(pair, source, tmp_path) -> None:
    """The reference: everything in double precision on the CPU, signals live."""
    exact = make_pair(tmp_path / "exact", CPU, longest=10)
    exact.student.double()
    exact.teacher.double()
    # Losses are in single precision by design, which alone bounds the agreement.
    loss, _, gradients = outcome(pair, source)
    true_loss, _, true = outcome(exact, "live")
    assert loss == pytest.approx(true_loss, rel=1e-4)
    assert (gradients - true).norm() <= 1e-4 * true.norm()


@pytest.mark.parametrize("attention", ["fp32", "uint16"])
def test_signals_kept_are_those_of_a_live_teacher(pair, attention) -> None:
    batch = assemble(pair.split, ROWS, 0).to(pair.device)
    live = pair.signals("live")(batch, (1, 2), True)
    source = pair.signals("stored", attention)
    kept = source(batch, (1, 2), True)
    if pair.device.type == "cuda":
        assert isinstance(source.ragged["attention"], GatheredValues)
    tolerance = {"rtol": 1e-3, "atol": 2e-5}
    torch.testing.assert_close(kept.logits, live.logits, **tolerance)
    torch.testing.assert_close(kept.fields["cls"], live.fields["cls"], **tolerance)
    torch.testing.assert_close(kept.fields["attention"], live.fields["attention"], **tolerance)
    torch.testing.assert_close(kept.fields["entropy"], live.fields["entropy"], **tolerance)


def test_half_precision_is_near(pair) -> None:
    with torch.no_grad():
        for parameter in (*pair.student.parameters(), *pair.teacher.parameters()):
            parameter *= 0.4 if parameter.ndim > 1 else 1.0
    loss, _, gradients = outcome(pair, "stored")
    half_loss, _, half = outcome(pair, "stored", precision="bf16")
    assert half_loss == pytest.approx(loss, rel=2e-2)
    assert 0 < (half - gradients).norm() < 2e-2 * gradients.norm()


@pytest.mark.parametrize("kind", KINDS)
def test_histories_are_those_of_the_cpu(pair, kind, tmp_path) -> None:
    on_cpu = make_pair(tmp_path / "cpu", CPU, longest=10)
    assert_near(rows_of(pair.training(kind)), rows_of(on_cpu.training(kind)))


def assert_near(ours, theirs) -> None:
    """Rows of two histories up to the rounding of another device over three epochs."""
    for mine, other in zip(ours, theirs, strict=True):
        for name, value in other.items():
            if isinstance(value, float) and not name.startswith("validation"):
                assert mine[name] == pytest.approx(value, rel=1e-3, abs=1e-5), name


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason=NO_GPU)
@pytest.mark.parametrize("source", ["live", "stored"])
@pytest.mark.parametrize("kind", KINDS)
def test_cuda_graphs_have_the_history_of_single_launches(kind, source, tmp_path) -> None:
    pair = make_pair(tmp_path, torch.device("cuda", 0), longest=10)
    plain, graphs = (rows_of(pair.training(kind, source, compile=on)) for on in (False, True))
    assert_near(graphs, plain)


def test_training_resumes_from_a_checkpoint(pair, tmp_path) -> None:
    """Stopped in the middle of the second epoch, and finished by another object."""
    whole = rows_of(pair.training("progressive"))
    checkpoints = Checkpoints(tmp_path / "kept", "me", minutes=0)
    stopped = pair.training("progressive", checkpoints=checkpoints)

    class Stop(Exception):
        pass

    keep = checkpoints.save

    def save_and_stop(state) -> None:
        keep(state)
        if (state["epoch"], state["batch"]) == (2, 2):
            raise Stop

    checkpoints.save = save_and_stop
    with pytest.raises(Stop):
        stopped.run()
    checkpoints.save = keep
    assert_alike(rows_of(pair.training("progressive", checkpoints=checkpoints)), whole)


@contextmanager
def no_waiting(device):
    """Inside, an operation that waits for the GPU is an error."""
    if device.type == "cuda":
        torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        if device.type == "cuda":
            torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("source", ["live", "stored"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_step_does_not_wait_for_the_device(pair, kind, source) -> None:
    """The second epoch, when all that is made once is there."""
    training = pair.training(kind, source, epochs=2, precision="bf16")
    # The first stage of a schedule that ends after two epochs is read twice.
    stage = training.schedule.phase
    for epoch, context in ((1, no_waiting(CPU)), (2, no_waiting(pair.device))):
        with context:
            for batch in training.batches.epoch(epoch):
                with torch.autocast(pair.device.type, torch.bfloat16):
                    loss, terms = training.objective(training.model, batch, stage)
                training._step(loss)
                training.means.add({"loss": loss, **terms})
    assert training.means.means()["loss"] > 0


def test_evaluation_is_that_of_the_cpu(pair) -> None:
    on_cpu = copy.deepcopy(pair.student).to(CPU)
    ours = predict(pair.student, pair.split, 0, pair.device)
    theirs = predict(on_cpu, pair.split, 0, CPU)
    np.testing.assert_allclose(ours.logits, theirs.logits, **ROUNDING)
