"""Heat maps of attention: models side by side, tokens on both axes, one scale of colours."""

import textwrap
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from internal_kd.errors import UserError
from internal_kd.evaluation.attention_maps import AttentionMaps, Floats
from internal_kd.reporting.figures.style import SEQUENTIAL
from internal_kd.reporting.wording import capitalized
from internal_kd.specs.reports import ModelsSettings

Places = npt.NDArray[np.int64]

ROLES = ("teacher", "internal", "standard")
ROLE_TITLES = {"teacher": "Teacher", "internal": "Internal KD", "standard": "Standard KD"}
COLUMNS = ["model", "experiment", "layer", "teacher_layer", "head", "query", "key"]
COLUMNS += ["query_token", "key_token", "probability", "head_kl", "example_kl"]

MAX_TOKENS = 30
LARGEST_TYPE, SMALLEST_TYPE = 7.0, 4.0  # points
LINE_HEIGHT = 1.12  # of the size of the type
POINTS = 72  # per inch
LONGEST_LABEL = 12  # characters
CHARACTERS_PER_INCH = 23  # of a remark


def choose(value: int | None, count: int, default: int, key: str, of: str) -> int:
    """A layer or head given by its number from 1, or the default where none is.

    Args:
        value: the number from the config, None for the default.
        count: how many there are.
        default: number taken for None.
        key: place in the config, such as "figures.fig5.layer".
        of: what is counted, such as "layers of the student".

    Raises:
        UserError: the number is not from 1 to `count`.
    """
    if value is None:
        return default
    if not 1 <= value <= count:
        raise UserError(f"{key}: {value} is out of range; the {of} go from 1 to {count}")
    return value


def shown_tokens(maps: AttentionMaps, size: float) -> Places:
    """Positions of the tokens that maps of `size` inches show: all, or as many as can be read.

    Where not all can be read, [CLS], [SEP], which draw most of the attention, and the first tokens
    of each text are shown.
    """
    places = np.arange(len(maps.tokens))
    text_start = np.maximum.accumulate(np.where(maps.special, places, 0))
    most = min(MAX_TOKENS, int(size * POINTS / (SMALLEST_TYPE * LINE_HEIGHT)))
    return np.sort(np.argsort(places - text_start, kind="stable")[:most])


def cut_remark(maps: AttentionMaps, shown: Places) -> list[str]:
    """The remark where not all tokens are shown."""
    if len(shown) == len(maps.tokens):
        return []
    return [
        f"Of the example's {len(maps.tokens)} tokens {len(shown)} are shown: [CLS], [SEP] and the "
        "first ones of each text. Divergences are those of all tokens."
    ]


def tidy(
    maps: AttentionMaps,
    settings: ModelsSettings,
    layers: Iterable[int],
    head: int,
    shown: Places,
) -> pd.DataFrame:
    """One row per cell: model, student layer, query and key, of one head and the tokens shown.

    Layers and heads count from 1; queries and keys are positions in the example from 0. `head_kl`
    is the divergence of a student's head from the teacher's, `example_kl` that of all its heads in
    all matching layers (Equation 2, nats); the teacher has neither.
    """
    queries, keys = (axis.ravel() for axis in np.meshgrid(shown, shown, indexing="ij"))
    parts = [
        pd.DataFrame(
            {
                "model": role,
                "experiment": settings.roles[role].name,
                "layer": layer,
                "teacher_layer": int(maps.teacher_layers[layer - 1]),
                "head": head,
                "query": queries,
                "key": keys,
                "query_token": maps.tokens[queries],
                "key_token": maps.tokens[keys],
                "probability": head_map(maps, role, layer, head, shown).ravel(),
                "head_kl": np.nan if role == "teacher" else head_kl(maps, role, layer, head),
                "example_kl": np.nan if role == "teacher" else maps.mean_kl(role),
            }
        )
        for layer in layers
        for role in ROLES
    ]
    return pd.concat(parts)[COLUMNS].round({"probability": 6, "head_kl": 6, "example_kl": 6})


def head_map(maps: AttentionMaps, role: str, layer: int, head: int, shown: Places) -> Floats:
    """Probabilities of the tokens shown, [queries, keys]; layer and head count from 1."""
    found: Floats = getattr(maps, role)[layer - 1, head - 1][np.ix_(shown, shown)]
    return found


def model_title(role: str, settings: ModelsSettings) -> str:
    """Such as "Internal KD (Exp3.2)"."""
    return f"{ROLE_TITLES[role]} ({capitalized(settings.roles[role].name)})"


def head_kl(maps: AttentionMaps, student: str, layer: int, head: int) -> float:
    """Divergence of one head from the teacher's, in nats; layer and head count from 1."""
    return float(maps.head_kl(student)[layer - 1, head - 1])


def draw_map(
    axes: Axes, probabilities: Floats, tokens: Iterable[str], scale: float, size: float
) -> AxesImage:
    """Draw the attention of one head.

    Args:
        axes: where.
        probabilities: [tokens, tokens], from 0 to 1; rows are the attending tokens (queries).
        tokens: the strings at the axes.
        scale: probability of the brightest colour; the darkest is 0.
        size: width and height of the map in inches, for the size of the type.
    """
    image = axes.imshow(probabilities, cmap=SEQUENTIAL, vmin=0.0, vmax=scale)
    axes.grid(False)
    axes.tick_params(length=0, pad=1.5)
    for spine in axes.spines.values():
        spine.set_visible(False)
    labels = [_short(token) for token in tokens]
    fit = size * POINTS / (len(labels) * LINE_HEIGHT)
    type_size = min(max(fit, SMALLEST_TYPE), LARGEST_TYPE)
    places = range(len(labels))
    axes.set_xticks(places, labels, rotation=90, fontsize=type_size, parse_math=False)
    axes.set_yticks(places, labels, fontsize=type_size, parse_math=False)
    return image


def _short(token: str) -> str:
    return token if len(token) <= LONGEST_LABEL else token[: LONGEST_LABEL - 1] + "…"


def color_bar(
    figure: Figure, image: AxesImage, axes: Iterable[Axes], shrink: float, aspect: float = 20
) -> None:
    """One bar for all maps; options of `Figure.colorbar`."""
    bar = figure.colorbar(image, ax=axes, shrink=shrink, aspect=aspect, pad=0.02)
    bar.set_label("attention probability")
    bar.outline.set_visible(False)  # type: ignore[operator]


def wrapped(remarks: Iterable[str], width: float) -> list[str]:
    """The remarks, broken into lines that fit below a figure of this width in inches."""
    return [textwrap.fill(remark, int(width * CHARACTERS_PER_INCH)) for remark in remarks]
