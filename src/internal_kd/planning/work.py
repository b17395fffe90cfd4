"""What a job has to compute, from its settings: steps, tokens, floating-point operations."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import astuple, dataclass

from internal_kd.distillation.experiment import make_schedule
from internal_kd.distillation.schedules import Phase
from internal_kd.models.layer_maps import distilled_layers, read_layers
from internal_kd.planning.encoder import (
    BACKWARD,
    Encoder,
    classifier_flops,
    head_flops,
    layer_flops,
    layers_flops,
    read_signals,
    stored_signals,
)
from internal_kd.planning.texts import TaskTexts, Texts, pretraining_text
from internal_kd.specs.agnostic import AgnosticJob
from internal_kd.specs.jobs import TrainingJob
from internal_kd.specs.pretraining import Pretraining
from internal_kd.specs.students import StudentJob

EVALUATION_BATCH = 128
SIGNALS_BATCH = 64


@dataclass(frozen=True)
class Work:
    """Work of one job or of several together.

    Attributes:
        flops: floating-point operations of matrix products.
        steps: steps of the optimizer.
        passes: batches that only go forward.
        tokens: tokens trained on, without padding, in all epochs together.
    """

    flops: float = 0
    steps: float = 0
    passes: float = 0
    tokens: float = 0

    def __add__(self, other: "Work") -> "Work":
        return Work(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


def training_work(
    job: TrainingJob,
    encoder: Encoder,
    task: TaskTexts,
    budget_mb: float,
    teacher: Encoder | None = None,
) -> Work:
    """Work of a teacher's or a student's run.

    Args:
        job: of the run.
        encoder: the model that it starts from.
        task: the run's task.
        budget_mb: of stored signals. Their pass counts with every run that reads them, though only
            the first one makes it.
        teacher: what the teacher of a student starts from, if that is another model.
    """
    taught = teacher or encoder
    run, training = job.run, job.training
    train = task.train.times(run.percent / 100)
    steps = math.ceil(round(train.rows) / training.batch_size)
    epochs, phases = training.epochs, Counter(_phases(job))
    flops = sum(
        times * _epoch_flops(job, phase, encoder, train, task.classes)
        for phase, times in phases.items()
    )
    trained = Work(flops, steps * epochs, 0, train.tokens * epochs)
    trained += _evaluation(encoder, run.layers, task, epochs)
    if not isinstance(job, StudentJob) or not read_signals(job):
        return trained
    if stored_signals(job, taught, task, budget_mb):
        return trained + _stored_teacher(job, taught, train, task.classes)
    return trained + _live_teacher(job, phases, taught, train, task.classes)


def _phases(job: TrainingJob) -> Iterator[Phase]:
    """The phase of each epoch, if every layer has all its epochs."""
    schedule = make_schedule(job)
    for _ in range(job.training.epochs):
        yield schedule.phase
        schedule.end_epoch(None)


def _epoch_flops(
    job: TrainingJob, phase: Phase, encoder: Encoder, train: Texts, classes: int
) -> float:
    """The student forward, and backward as far down as something is updated."""
    top = _depth(phase, job.run.layers)
    scores = bool(phase.layers)
    lowest = _lowest_updated(phase, top)
    forward = layers_flops(encoder, train, 1, top, scores=scores)
    backward = layers_flops(encoder, train, lowest, top, scores=scores)
    head = head_flops(encoder, train, classes) if phase.output else 0
    return forward + BACKWARD * backward + (1 + BACKWARD) * head


def _depth(phase: Phase, layers: int) -> int:
    """The layers that a phase needs: without the output loss none above the acting ones."""
    return layers if phase.output else max(phase.layers)


def _lowest_updated(phase: Phase, top: int) -> int:
    if phase.updates == "head":
        return top + 1
    return min(phase.layers) if phase.updates == "active" else 1


def _evaluation(encoder: Encoder, layers: int, task: TaskTexts, epochs: int) -> Work:
    """The development set after each epoch, and development and test set once at the end."""
    once = _pass(encoder, layers, task.test, task.classes)
    each = _pass(encoder, layers, task.validation, task.classes)
    return once + Work(each.flops * (epochs + 1), 0, each.passes * (epochs + 1))


def _pass(encoder: Encoder, layers: int, texts: Texts, classes: int) -> Work:
    flops = classifier_flops(encoder, texts, layers, classes)
    return Work(flops, 0, math.ceil(texts.rows / EVALUATION_BATCH))


def _stored_teacher(job: StudentJob, encoder: Encoder, train: Texts, classes: int) -> Work:
    """One pass of the teacher."""
    return Work(
        _whole_flops(job, encoder, train, classes), 0, math.ceil(train.rows / SIGNALS_BATCH)
    )


def _whole_flops(job: StudentJob, encoder: Encoder, train: Texts, classes: int) -> float:
    scores = bool(job.experiment.internal)
    return classifier_flops(encoder, train, encoder.layers, classes, scores=scores)


def _live_teacher(
    job: StudentJob, phases: Counter[Phase], encoder: Encoder, train: Texts, classes: int
) -> Work:
    """A pass of the teacher for each batch of each epoch, as far up as needed."""
    whole = _whole_flops(job, encoder, train, classes)
    flops = sum(
        times * (whole if phase.output else _matched_flops(job, encoder, train, phase))
        for phase, times in phases.items()
    )
    passes = math.ceil(train.rows / job.training.batch_size)
    return Work(flops, 0, passes * job.training.epochs)


def _matched_flops(job: StudentJob, encoder: Encoder, train: Texts, phase: Phase) -> float:
    """The teacher up to the highest layer that an acting layer is matched with."""
    layer_map = job.experiment.layer_map
    read = read_layers(layer_map, encoder.layers, job.run.layers)
    acting = read if layer_map == "all" else phase.layers
    return layers_flops(encoder, train, 1, max(read[layer] for layer in acting), scores=True)


def agnostic_work(job: AgnosticJob, encoder: Encoder, corpus: Texts, teacher: Encoder) -> Work:
    """Work of a general student: both models in every step, as far up as losses are.

    Args:
        job: of the general student.
        encoder: the model that it starts from.
        corpus: its text.
        teacher: the base model.
    """
    training = job.training
    read = read_layers(job.layer_map, teacher.layers, job.layers)
    depths = (
        (encoder, max(distilled_layers(job.layer_map, job.layers))),
        (teacher, max(read.values())),
    )
    trained = corpus.times(training.steps * training.batch_size / corpus.rows)
    learning, taught = (layers_flops(m, trained, 1, depth, scores=True) for m, depth in depths)
    evaluations = training.steps // training.evaluate_every
    held_out = corpus.times(job.held_out * evaluations / corpus.rows)
    passes = evaluations * math.ceil(job.held_out / SIGNALS_BATCH)
    evaluated = sum(layers_flops(m, held_out, 1, depth, scores=True) for m, depth in depths)
    flops = (1 + BACKWARD) * learning + taught + evaluated
    return Work(flops, training.steps, training.steps + 2 * passes, trained.tokens)


def attention_work(layers: int, encoder: Encoder, task: TaskTexts, teacher: Encoder) -> Work:
    """Student and teacher on the development set, with the scores of all layers."""
    flops = sum(
        classifier_flops(model, task.validation, depth, task.classes, scores=True)
        for model, depth in ((encoder, layers), (teacher, teacher.layers))
    )
    return Work(flops, 0, 2 * math.ceil(task.validation.rows / EVALUATION_BATCH))


def pretraining_work(settings: Pretraining, encoder: Encoder) -> Work:
    """Work of making the embedded base model; without the heads."""
    work = Work()
    for stage in settings.stages:
        texts = pretraining_text(stage.steps * settings.batch_size)
        flops = (1 + BACKWARD) * stage.layers * layer_flops(encoder, texts)
        work += Work(flops, stage.steps, 0, texts.tokens)
    return work
