"""The one training loop, for fine-tuning and distillation alike."""

import copy
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn
from tqdm import tqdm
from transformers import PreTrainedModel

from internal_kd.data.batches import Batch, LengthBucketedBatches
from internal_kd.data.encoding import EncodedSplit
from internal_kd.distillation.history import Row, TermMeans
from internal_kd.distillation.optimization import LinearWarmupDecay, make_optimizer
from internal_kd.distillation.schedules import LayerFinished, Schedule, Stage
from internal_kd.distillation.settings import TrainingSettings
from internal_kd.distillation.updates import UpdateRule, select_updates
from internal_kd.errors import UserError
from internal_kd.runtime import seed_epoch

logger = logging.getLogger(__name__)

PROGRESS_SECONDS = 5.0

Evaluate = Callable[[PreTrainedModel], dict[str, float]]


class Objective(Protocol):
    """Gives the loss of a batch and its terms, unweighted, by names of the history's columns."""

    def __call__(
        self, model: PreTrainedModel, batch: Batch, stage: Stage
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss as a scalar, and its terms as scalars."""
        ...


@dataclass
class Selection:
    """The epoch whose model is kept: the first with the best score, or the last."""

    keep: str
    epoch: int = 0
    score: float = -math.inf
    state: dict[str, Tensor] = field(default_factory=dict)

    def offer(self, model: nn.Module, epoch: int, score: float) -> None:
        """Keep a copy of the model's parameters if this epoch is to be preferred."""
        if self.keep == "last" or score > self.score:
            self.epoch, self.score = epoch, score
            self.state = copy.deepcopy(model.state_dict())


@dataclass(frozen=True)
class TrainingResult:
    """What a training leaves; the model carries the parameters of `selected_epoch` (one-based)."""

    history: list[Row]
    finished_layers: list[LayerFinished]
    selected_epoch: int


class Training:
    """A model, what it minimises, and how.

    Args:
        model: on its device already.
        split: training examples.
        objective: gives loss and terms of a batch.
        schedule: says which losses act in which epoch.
        settings: epochs, optimizer, learning rate.
        rule: which parameters a stage updates.
        evaluate: gives the development scores of the model.
        selection_metric: the score by which the best epoch is chosen.
        seed: of batch order and dropout.
        pad_token_id: of the tokenizer.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        split: EncodedSplit,
        objective: Objective,
        schedule: Schedule,
        settings: TrainingSettings,
        *,
        rule: UpdateRule,
        evaluate: Evaluate,
        selection_metric: str,
        seed: int,
        pad_token_id: int,
    ) -> None:
        self.model = model
        self.objective = objective
        self.schedule = schedule
        self.settings = settings
        self.rule = rule
        self.evaluate = evaluate
        self.selection_metric = selection_metric
        self.seed = seed
        self.batches = LengthBucketedBatches(
            split, settings.batch_size, seed, pad_token_id, settings.bucketing
        )
        self.optimizer = make_optimizer(model, settings)
        self.learning_rate = LinearWarmupDecay(
            settings.learning_rate, settings.epochs * len(self.batches), settings.warmup_fraction
        )
        self.progress = tqdm(
            total=settings.epochs * len(self.batches), unit="step", mininterval=PROGRESS_SECONDS
        )
        self.history: list[Row] = []
        self.selection = Selection(settings.keep)

    def run(self) -> TrainingResult:
        """Train all epochs and put the kept epoch's parameters into the model.

        Raises:
            UserError: if the loss is no longer a finite number.
        """
        for epoch in range(1, self.settings.epochs + 1):
            row = self._epoch(epoch)
            self.history.append(row)
            score = row[f"validation_{self.selection_metric}"]
            assert isinstance(score, float)
            self.selection.offer(self.model, epoch, score)
            logger.info(_summary(row, self.selection_metric))
        self.progress.close()
        self.model.load_state_dict(self.selection.state)
        self.model.requires_grad_(True)
        finished = self.schedule.state.finished
        return TrainingResult(self.history, finished, self.selection.epoch)

    def _epoch(self, epoch: int) -> Row:
        started = time.perf_counter()
        stage = self.schedule.stage()
        self._enter(stage, epoch)
        means = self._train_epoch(stage, epoch)
        trained = time.perf_counter()
        event = self.schedule.end_epoch(means.get("cls_cosine"))
        scores = self.evaluate(self.model)
        return {
            **_describe(epoch, stage, event),
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            **means,
            **{f"validation_{name}": value for name, value in scores.items()},
            "train_seconds": round(trained - started, 3),
            "evaluation_seconds": round(time.perf_counter() - trained, 3),
        }

    def _enter(self, stage: Stage, epoch: int) -> None:
        select_updates(self.model, self.rule, stage)
        before = self.history[-1]["stage"] if self.history else None
        if self.settings.restart_schedule and stage.final and before != "output":
            remaining = self.settings.epochs - epoch + 1
            self.learning_rate.restart(remaining * len(self.batches))

    def _train_epoch(self, stage: Stage, epoch: int) -> dict[str, float]:
        seed_epoch(self.seed, epoch)
        self.model.train()
        means = TermMeans()
        device = self.model.device
        for batch in self.batches.epoch(epoch):
            with torch.autocast(
                device.type, torch.bfloat16, enabled=self.settings.precision == "bf16"
            ):
                loss, terms = self.objective(self.model, batch.to(device), stage)
            self._step(loss)
            means.add({"loss": loss, **terms})
            self.progress.update()
        result = means.means()
        if not math.isfinite(result["loss"]):
            raise UserError(
                f"training: the loss was no finite number in epoch {epoch}; "
                "lower learning_rate or raise warmup_fraction"
            )
        return result

    def _step(self, loss: Tensor) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.settings.max_grad_norm:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.max_grad_norm)
        self.learning_rate.apply(self.optimizer)
        self.optimizer.step()


def _describe(epoch: int, stage: Stage, event: LayerFinished | None) -> Row:
    return {
        "epoch": epoch,
        "stage": "output" if not stage.layers else "layers " + " ".join(map(str, stage.layers)),
        "output_active": int(stage.output),
        "finished_layer": event.layer if event else "",
        "finished_reason": event.reason if event else "",
    }


def _summary(row: Row, metric: str) -> str:
    return (
        f"epoch {row['epoch']} ({row['stage']}): loss {row['loss']:.4f}, "
        f"validation {metric} {row[f'validation_{metric}']:.4f}, {row['train_seconds']} s"
    )
