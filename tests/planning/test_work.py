"""Operations as planned against those that torch counts when models really run."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from msgspec.structs import replace
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from internal_kd.data.batches import Batch
from internal_kd.distillation.objective import DistillationObjective, signal_request
from internal_kd.distillation.schedules import Phase
from internal_kd.distillation.signals import LiveSignals, Signals
from internal_kd.models.attention import compute_only_cls_in_top_layer
from internal_kd.models.bert import BertClassifier, BertConfig
from internal_kd.models.capture import FrozenTeacher, logits_of
from internal_kd.planning.encoder import Encoder, classifier_flops, encoder_of, head_flops
from internal_kd.planning.texts import TaskTexts, Texts
from internal_kd.planning.work import Work, attention_work, pretraining_work, training_work
from internal_kd.specs.students import decode_either
from internal_kd.specs.training import ObjectiveSettings
from tests.jobs.tiny_study import DISTILLATION, TRAINING, experiment_settings, run_of
from tests.models.captures import represent
from tests.models.tiny import tiny_batch, tiny_model
from tests.study.configs import read_study

ROWS, LENGTH, LAYERS = 3, 8, 4
BATCH = tiny_batch((LENGTH,) * ROWS)
TEXTS = Texts(ROWS, ROWS * LENGTH, ROWS * LENGTH**2)
TASK = TaskTexts(2, train=TEXTS, validation=Texts())
ALL = Phase((1, 2), output=True)
OUTPUT = Phase((), output=True)


def classifier(family: str = "bert", layers: int = LAYERS) -> Any:
    model = tiny_model(family, layers)
    if family == "bert":
        ours = BertClassifier(BertConfig(model.config.to_dict()))
        ours.load_state_dict(model.state_dict())
        return ours
    compute_only_cls_in_top_layer(model)
    return model


def encoder(family: str = "bert") -> Encoder:
    return encoder_of(tiny_model(family, LAYERS).config.to_dict())


def forward(run: Callable[..., Any], model: Any) -> int:
    """Operations of a pass of the batch without gradients."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        run(model, BATCH)
    return counter.get_total_flops()


def step(experiment: str, stage: Phase, layers: int = 2) -> int:
    """Operations of a student's forward and backward pass, without the teacher's."""
    options = experiment_settings(experiment)
    settings = ObjectiveSettings(options["internal"], options["output"])
    live = LiveSignals(FrozenTeacher(classifier()), signal_request(settings, {1: 2, 2: 4}))
    every = live(BATCH, (1, 2), logits=True)

    def kept(_batch: Batch, layers: Sequence[int], logits: bool) -> Signals:
        chosen = [layer - 1 for layer in layers]
        fields = {name: values[:, chosen] for name, values in every.fields.items() if chosen}
        return Signals(every.logits, fields)

    objective = DistillationObjective(settings, kept)
    student = classifier(layers=layers)
    with FlopCounterMode(display=False) as counter:
        loss: Tensor = objective(student, BATCH, stage)[0]
        loss.backward()
    return counter.get_total_flops()


def planned(experiment: str, epochs: int = 1, source: str = "stored", **changes: Any) -> Work:
    """Work of a student of two layers; of three epochs, PID and SID give two to its layers."""
    signals = {"source": source}
    settings = {
        "run": run_of(experiment),
        "training": TRAINING | {"epochs": epochs},
        "experiment": experiment_settings(experiment, **changes),
        "distillation": DISTILLATION | {"internal_fraction": 0.67, "signals": signals},
    }
    return training_work(decode_either(settings), encoder(), TASK, 100)


@pytest.mark.parametrize("family", ["bert", "roberta", "electra", "distilbert"])
@pytest.mark.parametrize(("run", "scores"), [(logits_of, False), (represent, True)])
def test_forward_pass_is_counted_as_torch_counts_it(family, run, scores) -> None:
    expected = forward(run, classifier(family))
    found = classifier_flops(encoder(family), TEXTS, LAYERS, 2, scores=scores)
    # ELECTRA projects its embeddings, which is no layer.
    projection = 0 if family != "electra" else 2 * 8 * 16 * ROWS * LENGTH
    assert found + projection == expected


def test_fine_tuning_a_teacher() -> None:
    settings = {"run": run_of("exp1.0", layers=LAYERS), "training": TRAINING | {"epochs": 2}}
    found = training_work(decode_either(settings), encoder(), TASK, 100)
    assert found == Work(2 * 3 * forward(logits_of, classifier()), 2, 0, 2 * ROWS * LENGTH)


def test_a_student_without_teacher() -> None:
    assert planned("exp1.1").flops == step("exp1.1", OUTPUT)


@pytest.mark.parametrize("experiment", ["exp2.0", "exp3.2"])
def test_a_teacher_runs_once_or_in_every_epoch(experiment) -> None:
    stage = ALL if experiment == "exp3.2" else OUTPUT
    run = represent if experiment == "exp3.2" else logits_of
    student, teacher = step(experiment, stage), forward(run, classifier())
    assert planned(experiment, 3).flops == 3 * student + teacher
    assert planned(experiment, 3, "live").flops == 3 * (student + teacher)


@pytest.mark.parametrize("experiment", ["exp3.3", "exp3.4"])
def test_staged_schedules_stop_at_the_layer_in_turn(experiment) -> None:
    head = head_flops(encoder(), TEXTS, 2)
    first = step(experiment, Phase((1,), output=False))
    layers = (2,) if experiment == "exp3.3" else (1, 2)
    second = step(experiment, Phase(layers, output=False))
    last = step(experiment, OUTPUT)
    teacher = forward(represent, classifier())
    assert planned(experiment, 3).flops == first + second + last + teacher
    half = forward(represent, classifier(layers=2)) - head
    live = half + (teacher - head) + teacher
    assert planned(experiment, 3, "live").flops == first + second + last + live


def test_what_is_not_updated_is_passed_forward_only() -> None:
    whole = planned("exp3.3", 3)
    active = planned("exp3.3", 3, internal_updates="active")
    head = planned("exp3.3", 3, output_updates="head")
    body = classifier_flops(encoder(), TEXTS, 2, 2) - head_flops(encoder(), TEXTS, 2)
    assert whole.flops - head.flops == 2 * body
    assert head.flops < active.flops < whole.flops


def test_evaluation_runs_after_each_epoch_and_once_more_at_the_end() -> None:
    settings = {"run": run_of("exp1.1", layers=LAYERS), "training": TRAINING | {"epochs": 2}}
    task = TaskTexts(2, train=TEXTS, validation=TEXTS, test=TEXTS.times(200))
    once = forward(logits_of, classifier())
    found = training_work(decode_either(settings), encoder(), task, 100)
    assert (
        found.flops - training_work(decode_either(settings), encoder(), TASK, 100).flops
        == (3 + 200) * once
    )
    assert found.passes == 3 + 5  # 600 test examples in batches of 128


def test_steps_and_tokens_of_a_part_of_the_data() -> None:
    task = TaskTexts(2, train=Texts(100, 1000, 12000), validation=Texts())
    settings = {"run": run_of("exp1.1", percent=30), "training": TRAINING | {"epochs": 3}}
    work = training_work(decode_either(settings), encoder(), task, 100)
    assert (work.steps, work.tokens) == (3 * 4, 3 * 300)  # batches of 8


def test_distances_from_the_teacher() -> None:
    task = TaskTexts(2, train=Texts(), validation=TEXTS)
    expected = forward(represent, classifier(layers=2)) + forward(represent, classifier())
    assert attention_work(2, encoder(), task, encoder()).flops == expected


def test_pretraining_counts_each_stage_with_its_layers() -> None:
    settings = read_study().config.pretraining
    first, second, _ = settings.stages
    deep_stages = replace(first, layers=2, steps=10), replace(second, layers=4, steps=5)
    deep = replace(settings, stages=deep_stages)
    flat = replace(settings, stages=(replace(first, layers=1, steps=40),))
    assert pretraining_work(deep, encoder()).flops == pretraining_work(flat, encoder()).flops
    assert pretraining_work(deep, encoder()).steps == 15
