"""Optimizer and learning rate."""

import torch
from torch import nn

from internal_kd.distillation.settings import TrainingSettings


def make_optimizer(model: nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    """Adam or AdamW; weight decay spares biases and normalisation, as in BERT's recipe."""
    matrices = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    vectors = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    kind = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=settings.learning_rate, fused=True)


class LinearWarmupDecay:
    """Learning rate that rises linearly from 0 and falls linearly to 0 (Devlin et al. 2018)."""

    def __init__(self, peak: float, total_steps: int, warmup_fraction: float) -> None:
        self.peak = peak
        self.warmup_fraction = warmup_fraction
        self.restart(total_steps)

    def restart(self, total_steps: int) -> None:
        """Begin anew with warm-up, over `total_steps` steps."""
        self.step = 0
        self.total = total_steps
        self.warmup = int(total_steps * self.warmup_fraction)

    def rate(self) -> float:
        """Learning rate of the current step; the last step's is above 0."""
        if self.step < self.warmup:
            return self.peak * (self.step + 1) / (self.warmup + 1)
        return self.peak * max(self.total - self.step, 0) / max(self.total - self.warmup, 1)

    def apply(self, optimizer: torch.optim.Optimizer) -> float:
        """Set the rate of the current step, count the step, and return the rate."""
        rate = self.rate()
        for group in optimizer.param_groups:
            group["lr"] = rate
        self.step += 1
        return rate

    def state_dict(self) -> dict[str, int]:
        """The position as plain data."""
        return {"step": self.step, "total": self.total, "warmup": self.warmup}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Restore what `state_dict` gave."""
        self.step, self.total, self.warmup = state["step"], state["total"], state["warmup"]
