"""Settings of a training, as they stand in the config."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from internal_kd.specs.tasks import Metric
from internal_kd.specs.values import NO_KEY, Count, NotNegative, Section, Share

# Each width is compiled by itself, at most 8 for 64 tokens; tensor cores like multiples of 8.
COMPILED_MULTIPLE = 8

# More than a config may have still runs, until the loss is no number any more.
Rate = Annotated[float, Meta(gt=0, extra_json_schema={"maximum": 1})]
WarmupShare = Annotated[float, Meta(ge=0, lt=1)]
Optimizer = Literal["adam", "adamw", "bert_adam"]
Keep = Literal["best", "last"]
Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True)
class TrainingSettings:
    """How a model is trained.

    Attributes:
        epochs: passes over the training split.
        batch_size: examples per step.
        learning_rate: peak of the schedule.
        optimizer: Adam, AdamW with decoupled weight decay, or AdamW and learning rates as in the
            code released with BERT, which has no bias correction.
        weight_decay: decay of weights; biases and normalisations are exempt.
        warmup_fraction: share of the steps in which the rate rises, before it falls linearly to 0.
        max_grad_norm: norm that gradients are clipped to; 0 does not clip.
        keep: the epoch with the best score, or the last one.
        keep_metric: score that makes an epoch the best one; null for the task's own.
        bucketing: whether examples of similar length share a batch.
        precision: fp32, or matrix products in bfloat16 with fp32 weights and losses.
        compile: whether torch compiles forward and backward pass, into CUDA graphs on a GPU.
        restart_schedule: whether warm-up and decay restart when only the output loss remains.
    """

    epochs: Count
    batch_size: Count
    learning_rate: Rate
    optimizer: Optimizer = "adamw"
    weight_decay: Share = 0.0
    warmup_fraction: WarmupShare = 0.1
    max_grad_norm: NotNegative = 1.0
    keep: Keep = "best"
    keep_metric: Metric | None = None
    bucketing: bool = True
    precision: Precision = "fp32"
    compile: bool = False
    restart_schedule: Annotated[bool, NO_KEY] = False

    @property
    def multiple(self) -> int:
        """Batches are a multiple of so many tokens wide."""
        return COMPILED_MULTIPLE if self.compile else 1


class TaskTraining(Section, frozen=True):
    """Training settings that differ on a task; they are described where the settings are."""

    DESCRIBED_IN: ClassVar[tuple[type, ...]] = (TrainingSettings,)

    epochs: Count | UnsetType = UNSET
    batch_size: Count | UnsetType = UNSET
    learning_rate: Rate | UnsetType = UNSET
    optimizer: Optimizer | UnsetType = UNSET
    weight_decay: Share | UnsetType = UNSET
    warmup_fraction: WarmupShare | UnsetType = UNSET
    max_grad_norm: NotNegative | UnsetType = UNSET
    keep: Keep | UnsetType = UNSET
    keep_metric: Metric | UnsetType | None = UNSET
    bucketing: bool | UnsetType = UNSET
    precision: Precision | UnsetType = UNSET
    compile: bool | UnsetType = UNSET


class OwnTraining(TaskTraining, frozen=True):
    """Training settings of an experiment that differ from those of the study's students."""

    restart_schedule: bool | UnsetType = UNSET


def changed(training: TrainingSettings, changes: TaskTraining) -> TrainingSettings:
    """The settings with those that differ."""
    return replace(training, **msgspec.to_builtins(changes))


@dataclass(frozen=True)
class ObjectiveSettings:
    """Which losses a distillation minimises and how they are weighted.

    Attributes:
        internal: weights by name, `attention_kl` (Equation 2) and `cls_cosine` (Equation 3).
        output: weights by name, `soft` and `hard` (Equation 1; the weight of `hard` is lambda).
        temperature: of the soft labels.
        layer_reduction: whether internal losses are averaged over the layers that act (the paper's
            definition of Experiment 3.0) or summed (Algorithm 1).
        relation_heads: of the losses of relations; None for the teacher's attention heads.
        combined_layers: number of the teacher's layers where each student layer learns from all of
            them; 0 where it learns from one.
    """

    internal: Mapping[str, float]
    output: Mapping[str, float]
    temperature: float = 1.0
    layer_reduction: Literal["mean", "sum"] = "mean"
    relation_heads: int | None = None
    combined_layers: int = 0
