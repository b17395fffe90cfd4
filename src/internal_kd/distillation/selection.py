"""The epoch whose model a training keeps."""

import copy
import math
from dataclasses import dataclass, field
from typing import TypedDict

from torch import Tensor, nn


class SelectionState(TypedDict):
    """The fields of a `Selection`."""

    keep: str
    epoch: int
    score: float
    state: dict[str, Tensor]


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

    def state_dict(self) -> SelectionState:
        """The state as plain data and tensors."""
        return {
            "keep": self.keep,
            "epoch": self.epoch,
            "score": self.score,
            "state": self.state,
        }
