"""Settings of what shows the experiments of grids: objectives, starts and maps of layers."""

from dataclasses import dataclass
from typing import Literal

from internal_kd.specs.experiments import Init, LayerMap
from internal_kd.specs.reports import TestedSettings

Losses = Literal["none", "attention", "hidden", "other"]


@dataclass(frozen=True)
class LevelRow:
    """A level of a factor, and what tables call it."""

    name: str
    label: str


@dataclass(frozen=True, kw_only=True)
class GridCell:
    """An experiment of a grid by its levels; "" stands for a factor that its grid does not have.

    Attributes:
        experiment: its name; several cells may share it.
        objective: level of the factor of this name.
        start: the same.
        mapping: the same.
        setting: the same.
        others: levels of all other factors, joined.
        losses: what the losses between layers compare: nothing, attention, hidden states or
            [CLS], or something else or several of these.
        init: what the student's layers start from.
        init_from: the model that they are copied from.
        layer_map: which teacher layers they learn from.
        tasks: on which it is trained.
    """

    experiment: str
    objective: str = ""
    start: str = ""
    mapping: str = ""
    setting: str = ""
    others: str = ""
    losses: Losses
    init: Init
    init_from: str
    layer_map: LayerMap
    tasks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class GridSettings(TestedSettings):
    """Settings of every table and figure of grids.

    Attributes:
        tasks: of the study.
        cells: experiments of all grids that it shows.
        objectives: levels of the factor objective, in the grids' order.
        starts: of the factor start.
        mappings: of the factor mapping.
        settings: of the factor setting.
    """

    tasks: tuple[str, ...]
    cells: tuple[GridCell, ...]
    objectives: tuple[LevelRow, ...]
    starts: tuple[LevelRow, ...]
    mappings: tuple[LevelRow, ...]
    settings: tuple[LevelRow, ...]


@dataclass(frozen=True, kw_only=True)
class GridClaimsSettings(GridSettings):
    """Settings of the claims on objectives, starts and maps of layers.

    Attributes:
        margin: difference of scores (0 to 1) that counts as near.
    """

    margin: float
