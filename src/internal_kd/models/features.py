"""Features of a classifier's layers: which a pass is requested to give, and what it gave.

Layers are counted from 1, the bottom one first. The features of a layer are

- `hidden`: its output, `[batch, tokens, hidden size]`;
- `cls`: the same of the first token, `[batch, hidden size]`;
- `scores`: of attention, before softmax and dropout, `[batch, heads, tokens, tokens]`, the lowest
  number in columns of padding;
- `query`, `key`, `value`: of attention, `[batch, heads, tokens, head size]`.

Imports no torch: studies name features too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from torch import Tensor

Feature = Literal["hidden", "cls", "scores", "query", "key", "value"]
ATTENTION: tuple[Feature, ...] = ("scores", "query", "key", "value")
FEATURES: tuple[Feature, ...] = ("hidden", "cls", *ATTENTION)


class Tokens(Protocol):
    """A padded batch; every tensor has shape `[batch, tokens]`."""

    @property
    def input_ids(self) -> "Tensor":
        """Token numbers."""
        ...

    @property
    def token_type_ids(self) -> "Tensor":
        """0 for the first text, 1 for the second."""
        ...

    @property
    def attention_mask(self) -> "Tensor":
        """1 at real tokens, 0 at padding."""
        ...

    @property
    def padded(self) -> bool:
        """False if every position is known to hold a real token."""
        ...


@dataclass(frozen=True)
class CaptureRequest:
    """Which features of which layers a pass gives.

    The pass ends at the highest of these layers, unless logits are requested too. Its last layer
    computes its output for [CLS] alone, unless that layer's `hidden` is requested.

    Attributes:
        features: names, each with its one-based layers.
        logits: whether the head's output is given, `[batch, classes]`.
        every_row: compute the last layer's scores for all tokens, also where no feature needs it.
            [CLS] alone rounds otherwise: with this, logits and features are the same whatever else
            is requested, but for `hidden` of the last layer.
    """

    features: Mapping[Feature, tuple[int, ...]] = field(default_factory=dict)
    logits: bool = False
    every_row: bool = False

    @classmethod
    def of(
        cls, names: Iterable[Feature], layers: Iterable[int], logits: bool = False
    ) -> "CaptureRequest":
        """These features of these layers."""
        layers = tuple(layers)
        return cls({name: layers for name in names if layers}, logits)

    @property
    def depth(self) -> int | None:
        """The last layer that is run; None for all layers and the head."""
        if self.logits:
            return None
        return max(max(layers) for layers in self.features.values())

    def has(self, name: Feature, layer: int) -> bool:
        """Whether a feature of a layer is requested."""
        return layer in self.features.get(name, ())

    @property
    def all_rows(self) -> bool:
        """Whether the last layer computes its scores for all tokens."""
        return self.every_row or bool(self.features)


@dataclass(frozen=True)
class Capture:
    """What a pass gave.

    Attributes:
        logits: `[batch, classes]`; None where they were not requested.
        features: by name and one-based layer, see `CaptureRequest`.
    """

    logits: "Tensor | None"
    features: "Mapping[tuple[str, int], Tensor]" = field(default_factory=dict)

    def layer(self, names: Iterable[Feature], layer: int) -> "dict[str, Tensor]":
        """Some features of a one-based layer, by name."""
        return {name: self.features[name, layer] for name in names}

    def of_layer(self, name: Feature, layer: int) -> "Tensor":
        """A feature of a one-based layer."""
        return self.features[name, layer]


def probabilities(scores: "Tensor") -> "Tensor":
    """Attention probabilities in fp32 from scores `[..., tokens, tokens]`; rows sum to one."""
    return scores.float().softmax(dim=-1)
