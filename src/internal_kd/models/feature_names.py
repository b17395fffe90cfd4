"""The features of a classifier's layers, by name. Imports no torch: studies name them too.

- `hidden`: output of the layer, `[batch, tokens, hidden size]`;
- `cls`: the same of the first token, `[batch, hidden size]`;
- `scores`: of attention, before softmax and dropout, `[batch, heads, tokens, tokens]`, the lowest
  number in columns of padding;
- `query`, `key`, `value`: of attention, `[batch, heads, tokens, head size]`.
"""

from typing import Literal

Feature = Literal["hidden", "cls", "scores", "query", "key", "value"]
ATTENTION: tuple[Feature, ...] = ("scores", "query", "key", "value")
FEATURES: tuple[Feature, ...] = ("hidden", "cls", *ATTENTION)
