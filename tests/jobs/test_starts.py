"""What a student starts with: the teacher's head only where the experiment requests it."""

import gc
import weakref
from pathlib import Path

import pytest
import torch
from torch import nn

from internal_kd.distillation.run_builder import RunBuilder
from internal_kd.distillation.signal_source import SignalOptions
from internal_kd.jobs import student, teacher
from internal_kd.models.layers import embedding_parameters, encoder_layers, head_parameters
from internal_kd.models.loading import load_classifier, new_classifier
from internal_kd.specs.jobs import decode
from internal_kd.specs.students import StudentJob
from internal_kd.streams import Streams
from tests.jobs.test_resume import settings_of
from tests.jobs.tiny_study import (
    SELECTION,
    TRAINING,
    call,
    experiment_settings,
    run_of,
    tiny_tokenizer,
    write_tokens,
)
from tests.models.tiny import tiny_model

CPU = torch.device("cpu")
FAMILIES = ["bert", "roberta", "electra", "distilbert"]
LABELS = ("entailment", "not_entailment")


def study_of(folder: Path, family: str) -> Path:
    """Base, initial student, tokens and a teacher that has hardly been trained."""
    tiny_model(family, layers=4).base_model.save_pretrained(folder / "base")
    tiny_tokenizer().save_pretrained(folder / "base")
    tokens = write_tokens(folder / "rte.npz")
    call(student, {"init": "upper", "layers": 2}, base=folder / "base", out=folder / "init")
    settings = {"run": run_of("exp1.0", layers=4), "selection": SELECTION}
    settings["training"] = {**TRAINING, "epochs": 1, "learning_rate": 1e-12}
    call(teacher, settings, base=folder / "base", data=tokens, out=folder / "teacher")
    return folder


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request, tmp_path_factory) -> Path:
    return study_of(tmp_path_factory.mktemp(request.param), request.param)


def head_of(model) -> torch.Tensor:
    """All parameters above the layers, in one vector."""
    named = dict(model.named_parameters())
    return torch.cat([named[name].detach().flatten() for name in sorted(head_parameters(model))])


def start_of(folder: Path, head_init: str, seed: int = 0) -> torch.Tensor:
    """The head that a student of this seed starts with; its teacher has the seed 0."""
    return head_of(builder_of(folder, head_init, seed).training(None).model)


def builder_of(
    folder: Path, head_init: str, seed: int = 0, signals: SignalOptions | None = None
) -> RunBuilder:
    """Of a student of this seed; its teacher has the seed 0."""
    experiment = experiment_settings("exp2.0", head_init=head_init)
    settings = settings_of("exp2.0") | {
        "experiment": experiment,
        "run": run_of("exp2.0", seed=seed),
        "teacher_seed": 0,
    }
    return RunBuilder(
        decode(settings, StudentJob),
        folder / "init",
        folder / "rte.npz",
        folder / "teacher/model",
        CPU,
        signals,
    )


@pytest.mark.parametrize("head_init", ["random", "teacher"])
def test_the_teacher_is_released_once_its_signals_are_stored(folder, tmp_path, head_init) -> None:
    options = SignalOptions("stored", folder=tmp_path, budget_mb=100.0)
    builder = builder_of(folder, head_init, signals=options)
    teacher = weakref.ref(builder.teacher)
    training = builder.training(None)
    gc.collect()
    assert teacher() is None
    assert training.objective.signals is not None


@pytest.mark.parametrize("init", ["last", [1, 3]])
def test_a_student_of_the_teacher_has_its_weights_bit_for_bit(folder, tmp_path, init) -> None:
    call(student, {"init": init, "layers": 2}, base=folder / "teacher/model", out=tmp_path / "cut")
    teacher_model = load_classifier(folder / "teacher/model")
    cut = new_classifier(tmp_path / "cut", LABELS, 0, CPU)
    chosen = [3, 4] if init == "last" else init
    for place, layer in enumerate(chosen):
        same(encoder_layers(cut)[place], encoder_layers(teacher_model)[layer - 1])
    for one, other in zip(
        embedding_parameters(cut), embedding_parameters(teacher_model), strict=True
    ):
        assert torch.equal(one, other)
    named, taught = dict(cut.named_parameters()), dict(teacher_model.named_parameters())
    for name in named:
        if ".pooler." in name:
            assert torch.equal(named[name], taught[name])


def test_only_the_pooler_of_a_new_head_depends_on_what_the_student_is_cut_from(
    folder, tmp_path
) -> None:
    call(student, {"init": "upper", "layers": 2}, base=folder / "teacher/model", out=tmp_path / "c")
    ours, usual = (
        new_classifier(start, LABELS, 5, CPU) for start in (tmp_path / "c", folder / "init")
    )
    usual_parameters = dict(usual.named_parameters())
    assert type(ours) is type(usual)
    for name, values in ours.named_parameters():
        if "classifier" in name:
            assert torch.equal(values, usual_parameters[name])


def same(one: nn.Module, other: nn.Module) -> None:
    """All parameters are equal to the last bit."""
    expected = other.state_dict()
    for name, values in one.state_dict().items():
        assert torch.equal(values, expected[name]), name


def test_a_random_head_is_never_the_one_its_teacher_started_from(folder) -> None:
    untrained = head_of(load_classifier(folder / "teacher/model"))
    for seed in range(4):
        assert not torch.allclose(start_of(folder, "random", seed), untrained, atol=1e-6)


def test_the_teachers_start_is_the_head_it_was_trained_from(folder) -> None:
    untrained = head_of(load_classifier(folder / "teacher/model"))
    for seed in (0, 1):
        torch.testing.assert_close(
            start_of(folder, "teacher_start", seed), untrained, atol=1e-6, rtol=0
        )


def test_the_teachers_head_is_its_trained_one(folder) -> None:
    trained = head_of(load_classifier(folder / "teacher/model"))
    assert torch.equal(start_of(folder, "teacher"), trained)


def test_students_of_one_seed_share_their_head_and_others_do_not(folder) -> None:
    assert torch.equal(start_of(folder, "random", 1), start_of(folder, "random", 1))
    assert not torch.equal(start_of(folder, "random", 1), start_of(folder, "random", 2))


def test_heads_of_teacher_and_student_are_as_far_apart_at_equal_seeds_as_at_others(tiny) -> None:
    """At equal seeds the cosine of both decision vectors once was 1."""
    cosines = []
    for seed in range(20):
        vectors = []
        for role, folder in (("teacher", tiny / "base"), ("student", tiny / "init")):
            model = new_classifier(folder, LABELS, Streams(role, "rte", seed).head, CPU)
            weight = dict(model.named_parameters())["classifier.weight"]
            vectors.append(weight[1] - weight[0])
        cosines.append(torch.cosine_similarity(*vectors, dim=0).item())
    assert max(map(abs, cosines)) < 0.9
    assert abs(sum(cosines)) / len(cosines) < 0.25
