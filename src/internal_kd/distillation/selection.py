"""The epoch whose model a training keeps."""

import copy
import math
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import Tensor, nn


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
            self.state = copy.deepcopy(dict(model.state_dict()))

    def state_dict(self) -> dict[str, Any]:
        """The state as plain data and tensors."""
        return asdict(self)
