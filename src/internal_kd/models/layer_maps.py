"""Which teacher layer a student layer learns from, and which base layers a student starts from.

Layers are counted from 1, the bottom one first.
"""

from collections.abc import Sequence
from random import Random
from typing import Literal, get_args

from internal_kd.errors import UserError

Layers = tuple[int, ...]
MapName = Literal["uniform", "last", "reversed", "random", "all_to_one"]
OneToOne = MapName | Layers
LayerMap = OneToOne | Literal["all"]
InitName = Literal["upper", "lower", "spaced", "last"]
INIT_NAMES: tuple[str, ...] = get_args(InitName)


def group_tops(larger: int, smaller: int) -> Layers:
    """The upper layer of each group, where `larger` layers are divided into `smaller` groups.

    The groups are as even as possible: group i of n ends at layer `larger * i / n`, a half rounded
    up. Section "Parameter Initialization" and Figure 1; 12 layers into 6 give (2, 4, 6, 8, 10, 12),
    8 into 3 give (3, 5, 8).

    Raises:
        UserError: there is no group, or there are more groups than layers.
    """
    if not 1 <= smaller <= larger:
        raise UserError(
            f"student.layers: {smaller} layers cannot each match one of the teacher's "
            f"{larger} layers; write 1 to {larger}"
        )
    return tuple((2 * larger * group + smaller) // (2 * smaller) for group in range(1, smaller + 1))


def match_layers(
    layer_map: OneToOne, teacher_layers: int, student_layers: int, seed: int = 0
) -> dict[int, int]:
    """The teacher layer of each student layer that has one.

    - `uniform`: the upper layer of its group, see `group_tops` (the paper);
    - `last`: the last student layer has the last teacher layer, the others have none;
    - `reversed`: those of `uniform` in reverse order;
    - `random`: different layers in any order;
    - `all_to_one`: the last teacher layer for all;
    - a list: one teacher layer for each student layer.

    Args:
        layer_map: name or list.
        teacher_layers: number of the teacher's layers.
        student_layers: number of the student's.
        seed: of `random`.

    Raises:
        UserError: the student has more layers than the teacher, or the list does not fit.
    """
    tops = group_tops(teacher_layers, student_layers)
    if layer_map == "last":
        return {student_layers: teacher_layers}
    chosen: Sequence[int]
    if layer_map == "uniform":
        chosen = tops
    elif layer_map == "reversed":
        chosen = tops[::-1]
    elif layer_map == "random":
        chosen = Random(seed).sample(range(1, teacher_layers + 1), student_layers)
    elif layer_map == "all_to_one":
        chosen = (teacher_layers,) * student_layers
    else:
        chosen = _listed("layer_map", layer_map, teacher_layers, student_layers)
    return dict(enumerate(chosen, start=1))


def read_layers(
    layer_map: LayerMap, teacher_layers: int, student_layers: int, seed: int = 0
) -> dict[int, int]:
    """The teacher layers that a student reads, by the number under which they are requested.

    That of the student layer that learns from them, see `match_layers`; with `all`, where each
    student layer learns from every teacher layer, their own.

    Raises:
        UserError: see `match_layers`.
    """
    if layer_map == "all":
        return {layer: layer for layer in range(1, teacher_layers + 1)}
    return match_layers(layer_map, teacher_layers, student_layers, seed)


def distilled_layers(layer_map: LayerMap, student_layers: int) -> Layers:
    """The student layers that learn from a teacher layer, see `match_layers`."""
    return (student_layers,) if layer_map == "last" else tuple(range(1, student_layers + 1))


def copied_layers(init: InitName | Layers, base_layers: int, student_layers: int) -> Layers:
    """The base layers that the student's layers are copied from.

    - `upper`: the upper layer of each group, see `group_tops` (the paper);
    - `lower`: the bottom layers;
    - `last`: the top layers;
    - `spaced`: from the first to the last at even distances;
    - a list: one base layer for each student layer.

    Raises:
        UserError: the student has more layers than the base model, or the list does not fit.
    """
    tops = group_tops(base_layers, student_layers)
    if init == "upper":
        return tops
    if init == "lower":
        return tuple(range(1, student_layers + 1))
    if init == "last":
        return tuple(range(base_layers - student_layers + 1, base_layers + 1))
    if init == "spaced":
        return _spaced(base_layers, student_layers)
    return _listed("init", init, base_layers, student_layers)


def _spaced(base_layers: int, student_layers: int) -> Layers:
    """Layers at even distances, a half rounded up; a single one is the first."""
    if student_layers == 1:
        return (1,)
    gaps = student_layers - 1
    return tuple(
        1 + (2 * (base_layers - 1) * place + gaps) // (2 * gaps) for place in range(student_layers)
    )


def _listed(key: str, layers: Layers, available: int, student_layers: int) -> Layers:
    if len(layers) != student_layers or not all(1 <= layer <= available for layer in layers):
        raise UserError(
            f"{key}: {list(layers)} must name {student_layers} layers between 1 and {available}"
        )
    return tuple(layers)
