"""Optimizer, learning rate, and which parameters a phase of the schedule updates."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypedDict, cast

import torch
from torch import Tensor, nn

from internal_kd.distillation.schedules import Phase
from internal_kd.models.bert import Classifier
from internal_kd.models.layers import embedding_parameters, encoder_layers, head_parameters
from internal_kd.specs.training import TrainingSettings
from internal_kd.torch_internals import FusedKernel, add_to_each, fused_adam, fused_adamw

BETAS = (0.9, 0.999)
CLIP_EPSILON = 1e-6  # as in torch.nn.utils.clip_grad_norm_
UNBIASED = 1e6  # a step count at which both of Adam's bias corrections are 1 in double precision


@dataclass(frozen=True)
class Variant:
    """A form of Adam: torch's kernel, epsilon, and the step count that moments start at."""

    kernel: FusedKernel
    epsilon: float = 1e-8
    first_step: float = 0.0


VARIANTS = {
    "adam": Variant(fused_adam),
    "adamw": Variant(fused_adamw),
    "bert_adam": Variant(fused_adamw, epsilon=1e-6, first_step=UNBIASED),
}


@dataclass
class Group:
    """Parameters with one weight decay, and Adam's moments and step counts of each."""

    parameters: list[nn.Parameter]
    weight_decay: float
    first_step: float = 0.0
    means: list[Tensor] = field(init=False)
    squares: list[Tensor] = field(init=False)
    steps: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.means = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.squares = [torch.zeros_like(parameter) for parameter in self.parameters]
        device = self.parameters[0].device if self.parameters else None
        self.steps = torch.full((len(self.parameters),), self.first_step, device=device)

    def active(self) -> list[int]:
        """Positions of the parameters that have a gradient; their steps are counted."""
        chosen = [k for k, parameter in enumerate(self.parameters) if parameter.grad is not None]
        if len(chosen) == len(self.parameters):
            self.steps += 1
        elif chosen:  # indexing with a list would copy it to the device and wait
            add_to_each([self.steps[k] for k in chosen], 1)
        return chosen


class GroupState(TypedDict):
    """Moments of the parameters of a group, and the step counts `[parameters]`."""

    means: list[Tensor]
    squares: list[Tensor]
    steps: Tensor


class AdamState(TypedDict):
    """The last learning rate, and the state of each group."""

    rate: float
    groups: list[GroupState]


class RateState(TypedDict):
    """The current step, and the numbers of all steps and of those of the warm-up."""

    step: int
    total: int
    warmup: int


class FusedAdam:
    """Adam (Kingma and Ba 2015) or AdamW (Loshchilov and Hutter 2019) by torch's fused kernels.

    A step is that of `torch.optim.AdamW(fused=True)`. Weight decay
    spares biases and normalisation, as in BERT's recipe; parameters without a gradient rest.
    Gradients are clipped as `torch.nn.utils.clip_grad_norm_` does, but within the kernel.
    `bert_adam` is the optimizer of the code released with BERT (Devlin et al. 2018): AdamW without
    bias correction, with an epsilon of 1e-6.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], settings: TrainingSettings) -> None:
        self.parameters = parameters = list(parameters)
        self.variant = VARIANTS[settings.optimizer]
        first = self.variant.first_step
        self.groups = (
            Group([p for p in parameters if p.ndim > 1], settings.weight_decay, first),
            Group([p for p in parameters if p.ndim <= 1], 0.0, first),
        )
        self.rate = settings.learning_rate
        self.max_grad_norm = settings.max_grad_norm

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move all parameters that have a gradient."""
        self.rate = rate
        divisor = self._divisor() if self.max_grad_norm else None
        for group in self.groups:
            chosen = group.active()
            if chosen:
                self._move(group, chosen, divisor)

    def _divisor(self) -> Tensor:
        """Scalar by which all gradients are divided, so that their norm is within the limit."""
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        norm = nn.utils.get_total_norm(gradients)
        return torch.clamp((norm + CLIP_EPSILON) / self.max_grad_norm, min=1.0)

    def _move(self, group: Group, chosen: list[int], divisor: Tensor | None) -> None:
        steps = group.steps.unbind()
        self.variant.kernel(
            [group.parameters[k] for k in chosen],
            [cast(Tensor, group.parameters[k].grad) for k in chosen],
            [group.means[k] for k in chosen],
            [group.squares[k] for k in chosen],
            [],
            [steps[k] for k in chosen],
            lr=self.rate,
            beta1=BETAS[0],
            beta2=BETAS[1],
            weight_decay=group.weight_decay,
            eps=self.variant.epsilon,
            amsgrad=False,
            maximize=False,
            grad_scale=divisor,
        )

    def state_dict(self) -> AdamState:
        """Moments and step counts, in the order of the parameters."""
        return {
            "rate": self.rate,
            "groups": [
                {"means": group.means, "squares": group.squares, "steps": group.steps}
                for group in self.groups
            ],
        }

    def load_state_dict(self, state: AdamState) -> None:
        """Restore what `state_dict` gave."""
        self.rate = state["rate"]
        for group, kept in zip(self.groups, state["groups"], strict=True):
            group.means, group.squares = kept["means"], kept["squares"]
            group.steps = kept["steps"]


class LinearWarmupDecay:
    """Learning rate that rises linearly and falls linearly towards 0 (Devlin et al. 2018).

    The first of `w` steps of warm-up has the rate `peak / (w + 1)`, so that no step is lost.
    """

    def __init__(self, peak: float, total_steps: int, warmup_fraction: float) -> None:
        self.peak = peak
        self.warmup_fraction = warmup_fraction
        self.restart(total_steps)

    def restart(self, total_steps: int) -> None:
        """Restart with warm-up, over `total_steps` steps."""
        self.step = 0
        self.total = total_steps
        self.warmup = int(total_steps * self.warmup_fraction)

    def rate(self) -> float:
        """Learning rate of the current step; the last step's is above 0."""
        if self.step < self.warmup:
            return self.peak * (self.step + 1) / (self.warmup + 1)
        return self.peak * max(self.total - self.step, 0) / max(self.total - self.warmup, 1)

    def advance(self) -> float:
        """Count the current step, and return its rate."""
        rate = self.rate()
        self.step += 1
        return rate

    def state_dict(self) -> RateState:
        """The position as plain data."""
        return {"step": self.step, "total": self.total, "warmup": self.warmup}

    def load_state_dict(self, state: RateState) -> None:
        """Restore what `state_dict` gave."""
        self.step, self.total, self.warmup = state["step"], state["total"], state["warmup"]


class BertWarmupDecay(LinearWarmupDecay):
    """The learning rates of the code released with BERT (Devlin et al. 2018).

    The first step's is 0. The decay counts from step 0, so that the rate drops by the share of the
    warm-up where that ends.
    """

    def rate(self) -> float:
        """Learning rate of the current step."""
        if self.step < self.warmup:
            return self.peak * self.step / self.warmup
        return self.peak * max(self.total - self.step, 0) / max(self.total, 1)


def make_learning_rate(settings: TrainingSettings, steps: int) -> LinearWarmupDecay:
    """The learning rates of a training of so many steps."""
    kind = BertWarmupDecay if settings.optimizer == "bert_adam" else LinearWarmupDecay
    return kind(settings.learning_rate, steps, settings.warmup_fraction)


def select_updates(model: Classifier, phase: Phase) -> None:
    """Switch gradients on for the parameters that `phase` updates, and off for all others."""
    if phase.updates == "all":
        model.requires_grad_(True)
        return
    model.requires_grad_(False)
    if phase.updates == "active":
        layers = encoder_layers(model)
        for layer in phase.layers:
            layers[layer - 1].requires_grad_(True)
        if 1 in phase.layers:
            _switch_on(embedding_parameters(model))
    if phase.output:
        named = dict(model.named_parameters())
        _switch_on(named[name] for name in head_parameters(model))


def _switch_on(parameters: Iterable[nn.Parameter]) -> None:
    for parameter in parameters:
        parameter.requires_grad_(True)
