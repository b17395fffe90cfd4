"""Training steps of BERTs with random weights on one device, stage by stage."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch.nn import functional

from benchmarks.examples import PAD, random_split
from benchmarks.flops import forward
from benchmarks.lengths import sample
from benchmarks.shapes import Shape
from internal_kd.data.batches import Batch
from internal_kd.data.encoding import EncodedSplit
from internal_kd.distillation.objective import DistillationObjective, signal_request
from internal_kd.distillation.schedules import Phase, Schedule
from internal_kd.distillation.signal_source import SignalOptions, TeacherOfSplit, signal_source
from internal_kd.distillation.signals import SignalSource
from internal_kd.distillation.training import Training, batches_of
from internal_kd.models.bert import BertClassifier, BertConfig
from internal_kd.models.capture import FrozenTeacher
from internal_kd.specs.training import ObjectiveSettings, TrainingSettings
from internal_kd.streams import Streams
from internal_kd.torch_setup import wait_for

Precision = Literal["fp32", "bf16"]
WARM_UP = 3  # passes: a graph is run once as single launches, recorded, and replayed
INTERNAL = {"attention_kl": 1.0, "cls_cosine": 1.0}
DROPOUT = 0.1
PRODUCTS = {"cuda": 8192, "cpu": 512}  # rows and columns of the square matrices
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Part:
    """A stage of an experiment, and the losses of the experiment."""

    experiment: str
    stage: Phase
    losses: ObjectiveSettings

    @property
    def name(self) -> str:
        """Of the stage, by the layers whose internal losses act."""
        layers = self.stage.layers
        return f"layers 1 to {layers[-1]}" if layers else "output"

    def depth(self, layers: int) -> int:
        """Layers of the student that are run."""
        return layers if self.stage.output else max(self.stage.layers)


def parts(layers: int) -> list[Part]:
    """Experiments 2.0 and 3.2, and of 3.4 the first stage, one in the middle and the last one."""
    every = tuple(range(1, layers + 1))
    soft, both = ObjectiveSettings({}, {"soft": 1.0}), ObjectiveSettings(INTERNAL, {"soft": 1.0})
    summed = ObjectiveSettings(INTERNAL, {"soft": 1.0}, layer_reduction="sum")
    ends = sorted({1, -(-layers // 2), layers})
    return [
        Part("exp2.0", Phase((), output=True), soft),
        Part("exp3.2", Phase(every, output=True), both),
        *(Part("exp3.4", Phase(every[:end], output=False), summed) for end in ends),
    ]


def matmul_rate(device: torch.device, precision: Precision, repetitions: int = 10) -> float:
    """Best rate of large square products, in floating-point operations per second."""
    size = PRODUCTS[device.type]
    a = torch.ones(size, size, device=device, dtype=DTYPES[precision])
    best = 0.0
    for _ in range(repetitions):
        wait_for(device)
        started = time.perf_counter()
        functional.linear(a, a)
        wait_for(device)
        best = max(best, 2 * size**3 / (time.perf_counter() - started))
    return best


class Bench:
    """Teacher and student of a shape on a device, and examples with the lengths of a task.

    Args:
        shape: of the models.
        task: whose lengths the examples have.
        device: that everything is on.
        batch_size: examples per step.
        batches: of the examples, from short to long.
    """

    def __init__(
        self, shape: Shape, task: str, device: torch.device, batch_size: int, batches: int
    ) -> None:
        self.shape, self.device, self.batch_size = shape, device, batch_size
        lengths = sample(task, batch_size, batches).ravel()
        self.split: EncodedSplit = random_split(lengths, shape.vocabulary)
        self.teacher = FrozenTeacher(_model(shape, shape.teacher_layers, device))

    def needed(self, part: Part) -> float:
        """Floating-point operations of a step, see `benchmarks.flops`; signals are stored."""
        depth = part.depth(self.shape.student_layers)
        return 3 * self.batch_size * forward(self.shape.hidden, depth, self.split.lengths)

    def seconds(self, part: Part, precision: Precision, compiled: bool, passes: int) -> float:
        """Mean time of a step over `passes` passes through the examples, when all is warm."""
        training = self._training(part, precision, compiled)
        training.model.train()
        for number in range(WARM_UP + passes):
            if number == WARM_UP:
                wait_for(self.device)
                started = time.perf_counter()
            for batch in training.batches.epoch(number):
                _step(training, batch, part.stage)
        wait_for(self.device)
        seconds = time.perf_counter() - started
        if compiled:
            torch._dynamo.reset()  # gives the graphs' memory back
        return seconds / (passes * len(training.batches))

    def _training(self, part: Part, precision: Precision, compiled: bool) -> Training:
        settings = TrainingSettings(1, self.batch_size, 1e-5, precision=precision, compile=compiled)
        streams = Streams("student", "qqp", 0)
        return Training(
            _model(self.shape, self.shape.student_layers, self.device),
            batches_of(self.split, settings, streams, PAD, self.device),
            DistillationObjective(part.losses, self._signals(part)),
            Schedule(),
            settings,
            evaluate=lambda _: {"validation": {"accuracy": 0.0}},
            selected_by=("validation", "accuracy"),
            streams=streams,
        )

    def _signals(self, part: Part) -> SignalSource:
        request = signal_request(part.losses, dict(enumerate(self.shape.matched, start=1)))
        with tempfile.TemporaryDirectory() as name:  # what is mapped from there stays
            folder = Path(name)
            teacher = TeacherOfSplit(
                lambda: self.teacher,
                self.teacher.model.config,
                folder,
                self.split,
                PAD,
                self.device,
            )
            options = SignalOptions("stored", folder=folder / "signals")
            return signal_source(teacher, request, options)


def _step(training: Training, batch: Batch, stage: Phase) -> None:
    """What the training loop does with a batch."""
    precise = training.settings.precision == "fp32"
    with torch.autocast(batch.input_ids.device.type, torch.bfloat16, enabled=not precise):
        loss, terms = training.objective(training.model, batch, stage)
    training._step(loss)
    training.means.add({"loss": loss, **terms})


def _model(shape: Shape, layers: int, device: torch.device) -> BertClassifier:
    """With weights of the size that BERT starts from."""
    config = {
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": 4 * shape.hidden,
        "hidden_dropout_prob": DROPOUT,
        "attention_probs_dropout_prob": DROPOUT,
    }
    model = BertClassifier(BertConfig(config)).to(device)
    for name, parameter in model.named_parameters():
        if "LayerNorm" not in name:
            torch.nn.init.normal_(parameter, std=0.02)
    return model
