"""How long texts may be for an encoder, and how many segments it has, by its `config.json`.

Needs no library, so that a study can be checked before anything is loaded.
"""

from collections.abc import Mapping
from dataclasses import dataclass

# Rows of the table of positions, where config.json does not give them.
ROWS = {"distilbert": 512, "bert": 512, "electra": 512, "ernie": 512}
# Families whose first position has the number behind that of the padding token, with their rows.
COUNTED_FROM_PADDING = {
    "camembert": 512,
    "data2vec-text": 512,
    "mpnet": 512,
    "roberta": 512,
    "roberta-prelayernorm": 512,
    "xlm-roberta": 512,
    "xlm-roberta-xl": 514,
    "xmod": 512,
}
PADDING = 1  # in all of them, where config.json does not give it


def positions_in(config: Mapping[str, object]) -> int | None:
    """Tokens of the longest text that fits, special tokens included; None if it is not known."""
    family = str(config.get("model_type"))
    default = COUNTED_FROM_PADDING.get(family, ROWS.get(family))
    rows = config.get("max_position_embeddings", default)
    padding = config.get("pad_token_id", PADDING) if family in COUNTED_FROM_PADDING else -1
    if not isinstance(rows, int) or not isinstance(padding, int):
        return None
    return rows - (padding + 1)


@dataclass(frozen=True)
class Limits:
    """What a model has embeddings for.

    Attributes:
        positions: tokens of the longest text; None where there is no limit.
        segments: numbers that distinguish the texts of a pair; fewer than two where the model has
            no segments.
        first_position: number of the first token's position.
    """

    positions: int | None
    segments: int
    first_position: int = 0
