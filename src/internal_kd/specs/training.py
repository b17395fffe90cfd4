"""Settings of a training, as they stand in the config."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

# Each width is compiled by itself, at most 8 for 64 tokens; tensor cores like multiples of 8.
COMPILED_MULTIPLE = 8


@dataclass(frozen=True)
class TrainingSettings:
    """How a model is trained.

    Attributes:
        epochs: passes over the training set.
        batch_size: examples per step.
        learning_rate: peak of the schedule.
        optimizer: `adam`; `adamw` with decoupled weight decay; `bert_adam`, AdamW as in the code
            released with BERT: without bias correction, with that code's learning rates.
        weight_decay: not applied to biases and normalisation.
        warmup_fraction: share of all steps in which the learning rate rises linearly from 0.
        max_grad_norm: gradients are scaled down to this norm; 0 switches clipping off.
        keep: the epoch whose model is kept, `best` or `last`.
        keep_metric: score that makes an epoch the best one; None for that of the task.
        bucketing: whether examples of similar length share a batch.
        precision: `fp32`, or `bf16` for matrix products in bfloat16 with fp32 weights and losses.
        compile: whether forward and backward pass are compiled by torch, into CUDA graphs on a GPU.
        restart_schedule: whether warm-up restarts when only the output loss is left.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    optimizer: Literal["adam", "adamw", "bert_adam"] = "adamw"
    weight_decay: float = 0.0
    warmup_fraction: float = 0.1
    max_grad_norm: float = 1.0
    keep: Literal["best", "last"] = "best"
    keep_metric: str | None = None
    bucketing: bool = True
    precision: Literal["fp32", "bf16"] = "fp32"
    compile: bool = False
    restart_schedule: bool = False

    @property
    def multiple(self) -> int:
        """Batches are a multiple of so many tokens wide."""
        return COMPILED_MULTIPLE if self.compile else 1


@dataclass(frozen=True)
class ObjectiveSettings:
    """Which losses a distillation minimises and how they are weighted.

    Attributes:
        internal: weights by name, `attention_kl` (Equation 2) and `cls_cosine` (Equation 3).
        output: weights by name, `soft` and `hard` (Equation 1; the weight of `hard` is lambda).
        temperature: of the soft labels.
        layer_reduction: whether internal losses are averaged over the layers that act (the paper's
            definition of Experiment 3.0) or summed (Algorithm 1).
    """

    internal: Mapping[str, float]
    output: Mapping[str, float]
    temperature: float = 1.0
    layer_reduction: Literal["mean", "sum"] = "mean"
