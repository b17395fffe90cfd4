"""Task-agnostic distillation: a general student learns from the base model on unlabelled text.

Wang et al. (2023) call this setting task-agnostic. The teacher is the pre-trained model as it is,
frozen and without dropout; teacher and student read the same masked tokens. There are no labels and
no classes, so that only losses between layers act.
"""

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import nn, no_grad

from internal_kd.data.batches import Batch, LengthBucketedBatches, sorted_batches
from internal_kd.data.corpus import load_corpus
from internal_kd.data.masked_batches import MaskedStream, TokenMasking
from internal_kd.distillation.checkpoints import Checkpoints
from internal_kd.distillation.history import Row, write_history
from internal_kd.distillation.objective import (
    DistillationObjective,
    new_projections,
    signal_request,
)
from internal_kd.distillation.run_builder import check_attention
from internal_kd.distillation.schedules import Phase, Schedule
from internal_kd.distillation.signals import LiveSignals
from internal_kd.distillation.training import Training, TrainingResult
from internal_kd.errors import UserError
from internal_kd.models.bert import Classifier
from internal_kd.models.capture import FrozenTeacher
from internal_kd.models.layer_maps import distilled_layers, read_layers
from internal_kd.models.layers import count_parameters
from internal_kd.models.loading import copy_tokenizer, new_classifier, save_encoder
from internal_kd.specs.agnostic import AgnosticJob
from internal_kd.specs.jobs import encode
from internal_kd.specs.records import AgnosticMetrics, write_metrics
from internal_kd.specs.sizes import Sizes, misfits_of_losses
from internal_kd.specs.training import ObjectiveSettings
from internal_kd.streams import Streams, held_out_masking_seed

# Models come with a classification head. No loss reads this one, and it is not saved.
UNUSED_HEAD = ("0", "1")
EVALUATION_BATCH = 64
HELD_OUT = "held_out"


@dataclass(frozen=True)
class AgnosticFiles:
    """Folders of the base model, of the student that it starts from, and of the tokens."""

    base: Path
    init: Path
    corpus: Path


class AgnosticBuilder:
    """Student, teacher, data and training of one general model.

    Args:
        job: what is to be trained.
        files: that it reads.
        device: where everything is computed.
    """

    def __init__(self, job: AgnosticJob, files: AgnosticFiles, device: torch.device) -> None:
        self.job = job
        self.files = files
        self.device = device
        self.settings = job.training.as_epochs
        self.streams = Streams("agnostic", "", job.seed)
        self.corpus = load_corpus(files.corpus)
        self.train, self.held_out = self.corpus.parts(job.held_out)

    def training(self, checkpoints: Checkpoints | None) -> Training:
        """The training of a new student.

        Raises:
            UserError: the corpus is too small, the base model has no mask token, or the losses do
                not fit the two models.
        """
        batches = self._stream()
        seed = self.streams.head
        student = new_classifier(self.files.init, UNUSED_HEAD, seed, self.device)
        self._check(student)
        widths = student.config.hidden_size, self.teacher.model.config.hidden_size
        projections = new_projections(
            self._losses, self.job.layers, widths, self.streams.projection
        ).to(self.device)
        objective, phase = self._objective(projections), self._phase
        return Training(
            student,
            batches,
            objective,
            Schedule((phase,)),
            self.settings,
            evaluate=lambda model: {
                HELD_OUT: mean_losses(model, objective, phase, self._held_out_batches)
            },
            selected_by=(HELD_OUT, "loss"),
            streams=self.streams,
            checkpoints=checkpoints,
            beside=projections,
        )

    @cached_property
    def teacher(self) -> FrozenTeacher:
        """The base model."""
        model = new_classifier(self.files.base, UNUSED_HEAD, self.streams.head, self.device)
        return FrozenTeacher(model).to(self.device)

    @cached_property
    def _matched(self) -> dict[int, int]:
        """The teacher layers that are read, see `read_layers`."""
        layers = self.teacher.model.config.num_hidden_layers
        seed = self.streams.layer_map
        return read_layers(self.job.layer_map, layers, self.job.layers, seed)

    @cached_property
    def _losses(self) -> ObjectiveSettings:
        job = self.job
        return ObjectiveSettings(
            job.internal,
            {},
            layer_reduction=job.layer_reduction,
            relation_heads=job.relation_heads,
            combined_layers=len(self._matched) if job.layer_map == "all" else 0,
        )

    @property
    def _phase(self) -> Phase:
        return Phase(distilled_layers(self.job.layer_map, self.job.layers), output=False)

    def _check(self, student: Classifier) -> None:
        """Refuse losses that do not fit the two models."""
        taught, own = self.teacher.model.config, student.config
        sizes = (Sizes(one.num_attention_heads, one.hidden_size) for one in (taught, own))
        for key, sentence in misfits_of_losses(self.job.internal, self.job.relation_heads, *sizes):
            raise UserError(f"agnostic: {'.'.join(key)}: {sentence}")
        check_attention("agnostic", self.job.internal, own, taught, self._matched)

    def _objective(self, projections: nn.ModuleDict) -> DistillationObjective:
        request = signal_request(self._losses, self._matched)
        return DistillationObjective(self._losses, LiveSignals(self.teacher, request), projections)

    def _stream(self) -> MaskedStream:
        settings = self.settings
        batches = LengthBucketedBatches(
            self.train,
            settings.batch_size,
            self.streams.order,
            self.corpus.meta.pad_token_id,
            settings.bucketing,
            multiple=settings.multiple,  # on the CPU: the text may be larger than a GPU's memory
        )
        return MaskedStream(
            batches, self.job.training.evaluate_every, self._masking(self.streams.masking)
        )

    def _masking(self, seed: int) -> TokenMasking:
        own = self.job.masking
        return TokenMasking(own.share, own.mask, own.random, seed, self.corpus.meta)

    @cached_property
    def _held_out_batches(self) -> list[Batch]:
        """The held-out sequences, always with the same masked tokens."""
        masking = self._masking(held_out_masking_seed())
        batches = sorted_batches(self.held_out, EVALUATION_BATCH, self.corpus.meta.pad_token_id)
        return [masking(batch, number).to(self.device) for number, batch in enumerate(batches)]


@no_grad()
def mean_losses(
    model: Classifier, objective: DistillationObjective, phase: Phase, batches: Iterable[Batch]
) -> dict[str, float]:
    """Mean loss over the sequences of some batches, and of its terms, without dropout."""
    model.eval()
    sums: dict[str, float] = defaultdict(float)
    sequences = 0
    for batch in batches:
        loss, terms = objective(model, batch, phase)
        sequences += len(batch.rows)
        for name, value in {"loss": loss, **terms}.items():
            sums[name] += len(batch.rows) * float(value)
    return {name: total / sequences for name, total in sums.items()}


def write_agnostic(
    out: Path, builder: AgnosticBuilder, training: Training, code: str | None, started: float
) -> None:
    """Train and write the general student, its history and its metrics.

    Args:
        out: folder to write into.
        builder: of the training.
        training: to be run.
        code: fingerprint of the code that runs.
        started: when the job started, on the clock of `time.perf_counter`.
    """
    result, job = training.run(), builder.job
    out.mkdir(parents=True, exist_ok=True)
    write_history(out / "history.csv", history_by_step(result, job.training.evaluate_every))
    save_encoder(training.model, builder.files.init, out / "model")
    copy_tokenizer(builder.files.init, out / "model")
    counts, last = count_parameters(training.model), result.history[-1]
    metrics = AgnosticMetrics(
        layers=job.layers,
        seed=job.seed,
        steps=job.training.steps,
        held_out={
            name.removeprefix(f"{HELD_OUT}_"): float(value)
            for name, value in last.items()
            if name.startswith(HELD_OUT)
        },
        sequences=len(builder.train),
        parameters=counts["embeddings"] + counts["layers"],
        code=code,
        settings=encode(job),
        speed=result.speed,
        seconds=round(time.perf_counter() - started, 2),
    )
    write_metrics(out / "metrics.json", metrics)


def history_by_step(result: TrainingResult, evaluate_every: int) -> list[Row]:
    """Rows of the history with the step in place of the epoch, and without what never changes."""
    fixed = ("epoch", "stage", "output_active", "finished_layer", "finished_reason")
    return [
        {"step": int(row["epoch"]) * evaluate_every}
        | {name: value for name, value in row.items() if name not in fixed}
        for row in result.history
    ]
