"""The one training loop, for fine-tuning and distillation alike."""

import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from tqdm import tqdm

from internal_kd.data.batches import Batch, LengthBucketedBatches
from internal_kd.data.encoding import EncodedSplit
from internal_kd.distillation.checkpoints import Checkpoints, Interruption, TrainingState
from internal_kd.distillation.history import Row, Selection, TermMeans, speed_of
from internal_kd.distillation.optimization import FusedAdam, make_learning_rate, select_updates
from internal_kd.distillation.progress import Advance
from internal_kd.distillation.schedules import Phase, Schedule
from internal_kd.errors import Interrupted, UserError
from internal_kd.models.bert import Classifier
from internal_kd.specs.records import LayerFinished, Speed
from internal_kd.specs.training import TrainingSettings
from internal_kd.streams import Streams
from internal_kd.torch_setup import random_state, restore_random_state, seed_epoch, wait_for

logger = logging.getLogger(__name__)

PROGRESS_SECONDS = 5.0

Evaluate = Callable[[Classifier], dict[str, dict[str, float]]]


class Objective(Protocol):
    """Gives the loss of a batch and its terms, unweighted, by names of the history's columns."""

    def __call__(
        self, model: Classifier, batch: Batch, phase: Phase
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss as a scalar, and its terms as scalars."""
        ...


class Batches(Protocol):
    """The batches of a training, in epochs of equal length."""

    @property
    def examples(self) -> int:
        """Examples of an epoch."""
        ...

    def __len__(self) -> int:
        """Batches of an epoch."""
        ...

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of a one-based epoch, from the one with number `start` on."""
        ...

    def real_share(self) -> float:
        """Real tokens for each position, padding included."""
        ...


def batches_of(
    split: EncodedSplit,
    settings: TrainingSettings,
    streams: Streams,
    pad_token_id: int,
    device: torch.device,
) -> LengthBucketedBatches:
    """Batches of a split, each example once in an epoch, as the settings describe them."""
    return LengthBucketedBatches(
        split,
        settings.batch_size,
        streams.order,
        pad_token_id,
        settings.bucketing,
        device,
        settings.multiple,
    )


@dataclass(frozen=True)
class TrainingResult:
    """The result of a training; the model has the parameters of `selected_epoch` (one-based)."""

    history: list[Row]
    finished_layers: list[LayerFinished]
    selected_epoch: int
    speed: Speed


class Training:
    """A model, what it minimises, and how.

    Args:
        model: on its device already.
        batches: of training examples.
        objective: gives loss and terms of a batch.
        schedule: which losses act in which epoch.
        settings: epochs, optimizer, learning rate.
        evaluate: gives the model's scores by split and metric; all go into the history.
        selected_by: split and metric of the score by which the best epoch is chosen.
        streams: of which dropout has one.
        checkpoints: where the training resumes from and writes its state; None for nowhere.
        beside: modules that are trained with the model and are no part of it; None for none.
    """

    def __init__(
        self,
        model: Classifier,
        batches: Batches,
        objective: Objective,
        schedule: Schedule,
        settings: TrainingSettings,
        *,
        evaluate: Evaluate,
        selected_by: tuple[str, str],
        streams: Streams,
        checkpoints: Checkpoints | None = None,
        beside: nn.Module | None = None,
    ) -> None:
        self.model = model
        self.objective = _compiled(objective, model, settings) if settings.compile else objective
        self.schedule = schedule
        self.settings = settings
        self.evaluate = evaluate
        self.selected_by = selected_by
        self.streams = streams
        self.checkpoints = checkpoints
        self.batches = batches
        self.beside = beside or nn.Module()
        self.optimizer = FusedAdam([*model.parameters(), *self.beside.parameters()], settings)
        self.optimizer.zero_grad()
        steps = settings.epochs * len(self.batches)
        self.learning_rate = make_learning_rate(settings, steps)
        self.progress = tqdm(total=steps, unit="step", mininterval=PROGRESS_SECONDS)
        self.history: list[Row] = []
        self.selection = Selection(settings.keep)
        self.epoch, self.batch = 1, 0
        self.means = TermMeans()
        self.train_seconds = 0.0

    def run(self) -> TrainingResult:
        """Train all epochs and put the kept epoch's parameters into the model.

        Raises:
            UserError: if the loss is no longer a finite number.
            Interrupted: if the process receives a signal to end; a checkpoint is written before.
        """
        with Interruption(active=self.checkpoints is not None) as interruption:
            for _ in self.steps():
                self._report_progress()
                self._save_state(requested=interruption.signal is not None)
                if interruption.signal:
                    raise Interrupted(
                        f"stopped by {interruption.signal.name} in epoch {self.epoch} after step "
                        f"{self.batch}; the same command resumes from there"
                    )
        return self._result()

    def steps(self) -> Iterator[None]:
        """Train, with a pause after every step and every epoch, where the state can be saved.

        An epoch's last step has no pause of its own: its evaluation belongs to it.
        """
        self._resume()
        while self.epoch <= self.settings.epochs:
            yield from self._epoch()
        self.progress.close()

    def _result(self) -> TrainingResult:
        """The result once all steps are done; the kept epoch's parameters are in the model."""
        self.model.load_state_dict(self.selection.state)
        self.model.requires_grad_(True)
        finished = self.schedule.state.finished
        examples, real = self.batches.examples, self.batches.real_share()
        speed = speed_of(examples, real, self.history, self.model.device)
        return TrainingResult(self.history, finished, self.selection.epoch, speed)

    def _report_progress(self) -> None:
        """Update the progress file, if there is one."""
        progress = self.checkpoints.progress if self.checkpoints else None
        if progress is None:
            return
        size, epochs = len(self.batches), self.settings.epochs
        done: Advance = {"steps": epochs * size, "epoch": self.epoch, "epochs": epochs}
        if self.history:
            row, column = self.history[-1], "_".join(self.selected_by)
            done |= {"loss": float(row["loss"]), "score": float(row[column])}
            done |= {"epoch_seconds": float(row["train_seconds"])}
            done |= {"score_name": " ".join(self.selected_by)}
        progress.advance((self.epoch - 1) * size + self.batch, **done)

    def _save_state(self, requested: bool) -> None:
        """Write a checkpoint if it is requested or due."""
        if self.checkpoints and (requested or self.checkpoints.due(epoch_ended=self.batch == 0)):
            self.checkpoints.save(self.state_dict())

    def state_dict(self) -> TrainingState:
        """Everything that decides how the training continues, as plain data and tensors."""
        return {
            "epoch": self.epoch,
            "batch": self.batch,
            "means": self.means.state_dict(),
            "train_seconds": self.train_seconds,
            "history": self.history,
            "selection": self.selection.state_dict(),
            "schedule": self.schedule.state_dict(),
            "learning_rate": self.learning_rate.state_dict(),
            "model": dict(self.model.state_dict()),
            "beside": dict(self.beside.state_dict()),
            "optimizer": self.optimizer.state_dict(),
            "random": random_state(),
        }

    def load_state_dict(self, state: TrainingState) -> None:
        """Restore what `state_dict` gave."""
        self.epoch, self.batch = state["epoch"], state["batch"]
        self.means.load_state_dict(state["means"])
        self.train_seconds = state["train_seconds"]
        self.history = state["history"]
        self.selection = Selection(**state["selection"])
        self.schedule.load_state_dict(state["schedule"])
        self.learning_rate.load_state_dict(state["learning_rate"])
        self.model.load_state_dict(state["model"])
        self.beside.load_state_dict(state["beside"])
        self.optimizer.load_state_dict(state["optimizer"])
        restore_random_state(state["random"])

    def _resume(self) -> None:
        state = self.checkpoints.load(self.model.device) if self.checkpoints else None
        if state is not None:
            self.load_state_dict(state)
            self.progress.update((self.epoch - 1) * len(self.batches) + self.batch)
            logger.info("resuming from a checkpoint: epoch %d, step %d", self.epoch, self.batch)

    def _epoch(self) -> Iterator[None]:
        phase = self.schedule.phase
        self._enter(phase)
        yield from self._train_epoch(phase)
        means = self._finite_means()
        event = self.schedule.end_epoch(means.get("cls_cosine"))
        started = time.perf_counter()
        scores = self.evaluate(self.model)
        row: Row = {
            **_describe(self.epoch, phase, event),
            "learning_rate": self.optimizer.rate,
            **means,
            **_columns(scores),
            "train_seconds": round(self.train_seconds, 3),
            "evaluation_seconds": round(time.perf_counter() - started, 3),
        }
        self.history.append(row)
        split, metric = self.selected_by
        self.selection.offer(self.model, self.epoch, scores[split][metric])
        logger.info(_summary(row, f"{split}_{metric}"))
        self.epoch, self.batch = self.epoch + 1, 0
        if self.epoch <= self.settings.epochs:
            yield

    def _enter(self, phase: Phase) -> None:
        """Prepare an epoch; one that resumes in its middle has its state already."""
        select_updates(self.model, phase)
        if self.batch > 0:
            return
        seed_epoch(self.streams.dropout, self.epoch)
        self.means, self.train_seconds = TermMeans(), 0.0
        if phase.restarts and self.schedule.begins_phase:
            remaining = self.settings.epochs - self.epoch + 1
            self.learning_rate.restart(remaining * len(self.batches))

    def _train_epoch(self, phase: Phase) -> Iterator[None]:
        self.model.train()
        device = self.model.device
        started = time.perf_counter()
        for batch in self.batches.epoch(self.epoch, start=self.batch):
            with torch.autocast(
                device.type, torch.bfloat16, enabled=self.settings.precision == "bf16"
            ):
                loss, terms = self.objective(self.model, batch.to(device), phase)
            self._step(loss)
            self.means.add({"loss": loss, **terms})
            self.progress.update()
            self.batch += 1
            self.train_seconds += time.perf_counter() - started
            if self.batch < len(self.batches):
                yield
            started = time.perf_counter()
        wait_for(device)
        self.train_seconds += time.perf_counter() - started

    def _finite_means(self) -> dict[str, float]:
        means = self.means.means()
        if not math.isfinite(means["loss"]):
            raise UserError(
                f"training: the loss became NaN or infinite in epoch {self.epoch}; "
                "lower learning_rate or raise warmup_fraction"
            )
        return means

    def _step(self, loss: Tensor) -> None:
        loss.backward()
        self.optimizer.step(self.learning_rate.advance())
        self.optimizer.zero_grad()  # now, because a CUDA graph's gradients end with its step


def _compiled(objective: Objective, model: Classifier, settings: TrainingSettings) -> Objective:
    from internal_kd.distillation.compiled import CompiledObjective

    return CompiledObjective(objective, model, settings.batch_size)


def _describe(epoch: int, phase: Phase, event: LayerFinished | None) -> Row:
    return {
        "epoch": epoch,
        "stage": phase.name,
        "output_active": int(phase.output),
        "finished_layer": event.layer if event else "",
        "finished_reason": event.reason if event else "",
    }


def _columns(scores: dict[str, dict[str, float]]) -> Row:
    return {
        f"{split}_{metric}": value for split, of in scores.items() for metric, value in of.items()
    }


def _summary(row: Row, column: str) -> str:
    return (
        f"epoch {row['epoch']} ({row['stage']}): loss {row['loss']:.4f}, "
        f"{column.replace('_', ' ', 1)} {row[column]:.4f}, {row['train_seconds']} s"
    )
