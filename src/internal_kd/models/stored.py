"""Which names in a file of weights may be left over, and which may be missing.

Libraries drop weights that they have no place for and draw those that they do not find, and say so
in a warning only. Either gives a model that is not the one in the file.
"""

import re
from collections.abc import Collection, Iterable

# What stands above an encoder in the task models of Transformers, by the first part of a name.
HEADS = frozenset(
    {
        "classifier",
        "cls",
        "decoder",
        "discriminator_predictions",
        "generator_lm_head",
        "generator_predictions",
        "head",
        "lm_head",
        "lm_predictions",
        "mask_predictions",
        "pooler",
        "pre_classifier",
        "predictions",
        "qa_outputs",
        "score",
        "sequence_summary",
        "sop_classifier",
        "vocab_layer_norm",
        "vocab_projector",
        "vocab_transform",
    }
)
# Numbers that follow from the config and were written by older versions of Transformers.
BUFFERS = re.compile(r"(^|\.)(position_ids|token_type_ids|inv_freq)$")


def without_place(names: Iterable[str], prefix: str) -> list[str]:
    """The names, of weights that a model does not use, that must not be dropped.

    Heads of other tasks can, a pooler that the model does not use, and buffers.

    Args:
        names: as in the file.
        prefix: of the encoder's names in a file that holds a task model, such as `bert.`.
    """
    return sorted(name for name in names if not _may_be_dropped(name.removeprefix(prefix)))


def _may_be_dropped(name: str) -> bool:
    return name.partition(".")[0] in HEADS or bool(BUFFERS.search(name))


def not_to_be_drawn(missing: Collection[str], present: Iterable[str], prefix: str) -> list[str]:
    """The names, of weights missing in a file, that are no new head.

    A new head is the pooler and all that is outside the encoder. It is new as a whole: half of
    one means that the file is damaged.

    Args:
        missing: parameters of the model that the file does not hold.
        present: all parameters of the model.
        prefix: of the encoder's names in the model; empty if the model is the encoder.
    """
    kept = {_head_of(name, prefix) for name in present if name not in missing}
    return sorted(name for name in missing if _head_of(name, prefix) in kept | {None})


def _head_of(name: str, prefix: str) -> str | None:
    """The part of a head that a parameter belongs to; None for the encoder's own."""
    first = name.removeprefix(prefix).partition(".")[0]
    return None if name.startswith(prefix) and first != "pooler" else first
