"""What reports on grids show: the experiments that vary certain factors, as their settings."""

from collections.abc import Iterator, Mapping

from internal_kd.specs.experiments import Experiment
from internal_kd.specs.grid_reports import (
    GridCell,
    GridClaimsSettings,
    GridSettings,
    LevelRow,
    Losses,
)
from internal_kd.specs.grids import FACTORS_OF, JOINT, Cell, Grid, having, label_of
from internal_kd.specs.runs import Run
from internal_kd.study.analysis_settings import inference, report_settings
from internal_kd.study.config import Study
from internal_kd.study.figures import Figure

FACTORS = ("objective", "start", "mapping", "setting")
LOSSES: Mapping[Losses, set[str]] = {
    "none": set(),
    "attention": {"attention_kl", "attention_mse"},
    "hidden": {"hidden_mse", "cls_mse", "cls_cosine", "cls_contrast"},
}


def objectives_settings(study: Study) -> GridSettings:
    """Objectives compared."""
    return _settings(study, "objectives")


def starts_settings(study: Study) -> GridSettings:
    """Starts compared."""
    return _settings(study, "starts")


def mappings_settings(study: Study) -> GridSettings:
    """Maps of layers compared."""
    return _settings(study, "mappings")


def objective_scores_settings(study: Study, _: Figure) -> GridSettings:
    """Objectives by task and start, as a heat map."""
    return _settings(study, "objective_scores")


def start_slopes_settings(study: Study, _: Figure) -> GridSettings:
    """Score by start."""
    return _settings(study, "start_slopes")


def _settings(study: Study, report: str) -> GridSettings:
    """Settings of a report, which shows the grids that have its factors."""
    grids = having(study.config.grids, FACTORS_OF[report])
    return GridSettings(
        **vars(report_settings(study, study.config.tasks)),
        **vars(inference(study)),
        tasks=study.config.tasks,
        cells=tuple(_cells(study, grids)),
        objectives=_levels(grids, "objective"),
        starts=_levels(grids, "start"),
        mappings=_levels(grids, "mapping"),
        settings=_levels(grids, "setting"),
    )


def claims_settings(study: Study) -> GridClaimsSettings:
    """Claims on objectives, starts and maps of layers."""
    found = _settings(study, "objective_claims")
    return GridClaimsSettings(**vars(found), margin=study.config.statistics.margin)


def runs_of_cells(study: Study, settings: GridSettings) -> tuple[Run, ...]:
    """The runs of a report on grids, each once."""
    found = (
        run
        for cell in settings.cells
        for task in cell.tasks
        for run in study.runs_of(study.experiments[cell.experiment], task)
    )
    return tuple(dict.fromkeys(found))


def _cells(study: Study, grids: Mapping[str, Grid]) -> Iterator[GridCell]:
    for name, grid in grids.items():
        tasks = grid.tasks or study.config.tasks
        for cell in study.expansion.cells[name]:
            yield _cell(study, cell, tasks)


def _cell(study: Study, cell: Cell, tasks: tuple[str, ...]) -> GridCell:
    experiment = study.experiments[cell.experiment]
    others = [level for factor, level in cell.levels.items() if factor not in FACTORS]
    return GridCell(
        experiment=cell.experiment,
        **{factor: cell.levels.get(factor, "") for factor in FACTORS},
        others=JOINT.join(others),
        losses=_losses(study, experiment),
        init=experiment.init,
        init_from=experiment.init_from,
        layer_map=experiment.layer_map,
        tasks=tasks,
    )


def _losses(study: Study, experiment: Experiment) -> Losses:
    """The first kind that has all losses between layers of an experiment, and of the general
    student that it starts from.
    """
    general = (study.config.agnostic or {}).get(experiment.init_from)
    used = {*experiment.internal, *(general.internal if general else ())}
    kinds = (kind for kind, names in LOSSES.items() if used <= names)
    return next(kinds, "other")


def _levels(grids: Mapping[str, Grid], factor: str) -> tuple[LevelRow, ...]:
    """The levels of a factor; one that several grids have is called as the first of them does."""
    labels: dict[str, str] = {}
    for grid in grids.values():
        for level in grid.factors.get(factor, {}):
            labels.setdefault(level, label_of(grid, factor, level))
    return tuple(LevelRow(name, label) for name, label in labels.items())
