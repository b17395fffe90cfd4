"""The file of one example's attention maps, of a teacher and two students."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from internal_kd.errors import as_user_error

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class AttentionMaps:
    """Attention of three models on an example of l tokens, in matching layers.

    Attributes:
        example: row of the example in its split, from 0.
        tokens: strings [l], [CLS] and [SEP] included.
        special: bool [l], true at [CLS] and [SEP], however the model calls them.
        teacher_layers: int64 [student layers], the one-based teacher layer of each student layer.
        teacher: float32 [student layers, heads, l, l], attention probabilities of those teacher
            layers; rows are the attending tokens and sum to one.
        standard: the same of the student of standard KD.
        internal: the same of the student of internal KD.
        standard_head_kl: float32 [student layers, heads], Equation 2 between teacher and student.
        internal_head_kl: the same of the student of internal KD.
    """

    example: int
    tokens: npt.NDArray[np.str_]
    special: npt.NDArray[np.bool_]
    teacher_layers: npt.NDArray[np.int64]
    teacher: Floats
    standard: Floats
    internal: Floats
    standard_head_kl: Floats
    internal_head_kl: Floats

    def head_kl(self, student: str) -> Floats:
        """Divergence of each head, [student layers, heads], of "standard" or "internal"."""
        found: Floats = getattr(self, f"{student}_head_kl")
        return found

    def layer_kl(self, student: str) -> Floats:
        """Divergence of each layer, [student layers]: the mean over its heads."""
        return self.head_kl(student).mean(axis=1)

    def mean_kl(self, student: str) -> float:
        """Divergence over all matching layers: the mean over layers and heads."""
        return float(self.head_kl(student).mean())


def save_maps(path: str | Path, maps: AttentionMaps) -> None:
    """Write maps as .npz with an array per attribute.

    What `layer_kl` and `mean_kl` give of either student is written too, for readers without this
    package: standard_layer_kl, internal_layer_kl, standard_mean_kl, internal_mean_kl.
    """
    arrays: dict[str, npt.ArrayLike] = {
        field.name: getattr(maps, field.name) for field in fields(maps)
    }
    for student in ("standard", "internal"):
        arrays[f"{student}_layer_kl"] = maps.layer_kl(student)
        arrays[f"{student}_mean_kl"] = np.float32(maps.mean_kl(student))
    with open(path, "wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def load_maps(path: str | Path) -> AttentionMaps:
    """Read what `save_maps` wrote.

    Raises:
        UserError: the file is absent or none of attention maps.
    """
    with (
        as_user_error(path, "not a file of attention maps", "make it again"),
        np.load(path, allow_pickle=False) as file,
    ):
        return AttentionMaps(
            example=int(file["example"]),
            tokens=file["tokens"],
            special=file["special"],
            teacher_layers=file["teacher_layers"],
            teacher=file["teacher"],
            standard=file["standard"],
            internal=file["internal"],
            standard_head_kl=file["standard_head_kl"],
            internal_head_kl=file["internal_head_kl"],
        )
