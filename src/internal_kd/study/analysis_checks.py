"""Checks of what goes beyond Table 1: students compared, grids, sweeps and figures."""

from collections import Counter
from itertools import combinations

from msgspec import UNSET

from internal_kd.models.layer_maps import distilled_layers
from internal_kd.specs.analyses import FigureSettings
from internal_kd.specs.experiments import Experiment
from internal_kd.specs.grids import FACTORS_OF, having
from internal_kd.specs.values import set_keys
from internal_kd.study.draft import (
    Checks,
    Draft,
    Found,
    all_tasks,
    epochs_of,
    known_tasks,
    unknown,
)
from internal_kd.study.glue import GLUE
from internal_kd.study.problems import Path, Problem
from internal_kd.study.schema import is_name

CHECKS = Checks()

STUDENT = "student experiment"
FIGURE_KEYS: dict[str, tuple[str, ...]] = {
    "parameters": ("task",),
    "data_size": ("task",),
    "convergence": ("task", "experiments"),
    "attention": ("task", "example", "layer", "head"),
    "heads": ("task", "example", "head"),
    "attention_kl": (),
    "calibration": (),
    "objective_scores": (),
    "start_slopes": (),
}


@CHECKS.reading("reports", "experiments", "grids", "tasks")
def check_reports(draft: Draft) -> Found:
    """Tables that the study cannot have are not listed."""
    listed = draft.config.reports or ()
    faulty = len(draft.names) > len(draft.experiments)
    readings = any(row.reading_of for row in draft.experiments)
    if "readings" in listed and not readings and not faulty:
        yield _impossible("readings", "no experiment has reading_of")
    if "glue_submission" in listed and not set(draft.config.tasks) & set(GLUE):
        yield _impossible("glue_submission", "no task of the study is one of GLUE")
    for name in listed:
        factors = FACTORS_OF.get(name, ())
        if not having(draft.grids, factors) and factors:
            yield _impossible(name, f"no grid varies {' and '.join(factors)}")


def _impossible(report: str, why: str) -> Problem:
    return Problem(("reports",), f"{report} cannot be made, because {why}; remove it")


@CHECKS.reading("experiments", "comparison")
def check_comparison(draft: Draft) -> Found:
    """What is compared are two different students."""
    names = draft.config.comparison
    students = _students(draft)
    yield from unknown(("comparison", "standard"), [names.standard], students, STUDENT)
    yield from unknown(("comparison", "internal"), [names.internal], students, STUDENT)
    if names.standard == names.internal:
        yield Problem(
            ("comparison", "internal"),
            f"'{names.internal}' is comparison.standard too; name another experiment",
        )


@CHECKS.reading("grids", "tasks")
def check_grid_tasks(draft: Draft) -> Found:
    """Tasks of grids are those of the study."""
    for name, grid in draft.grids.items():
        path = ("grids", name, "tasks")
        yield from unknown(path, grid.tasks or (), draft.config.tasks, "task")


@CHECKS.reading("grids", "experiments")
def check_grid_names(draft: Draft) -> Found:
    """Each experiment has a name of its own, which fits into a path."""
    cells = [(grid, cell.name) for grid, own in draft.expansion.cells.items() for cell in own]
    made = draft.expansion.experiments
    written = [name for name in made if draft.config.experiments[name] is not made[name]]
    taken = Counter([*written, *(name for _, name in cells)])
    for grid, name in cells:
        if taken[name] > 1:
            sentence = f"more than one experiment is named {name}; rename a level"
            yield Problem(("grids", grid), sentence)
    long = {grid: name for grid, name in reversed(cells) if not is_name(name)}
    for grid, name in long.items():
        sentence = f"experiment {name} has too long a name; shorten the names of its levels"
        yield Problem(("grids", grid), sentence)


@CHECKS.reading("grids")
def check_grid_levels(draft: Draft) -> Found:
    """A factor has levels, and no two factors set the same key."""
    for name, grid in draft.grids.items():
        keys = {
            factor: {key for fields in levels.values() for key in fields} - {"label"}
            for factor, levels in grid.factors.items()
        }
        for factor, levels in grid.factors.items():
            if not levels:
                path = ("grids", name, "vary", factor)
                yield Problem(path, "all levels are null; write at least one, or remove the factor")
        for first, second in combinations(keys, 2):
            for key in sorted(keys[first] & keys[second]):
                yield Problem(
                    ("grids", name, "vary", second),
                    f"{first} sets {key}, too; let one factor set it",
                )


@CHECKS.reading("sweeps", "tasks", "base_model.layers")
def check_layer_sweep(draft: Draft) -> Found:
    """Students of the sweep are not deeper than the base model."""
    sweep, base = draft.config.sweeps.layers, draft.config.base_model.layers
    tasks = draft.config.tasks
    yield from unknown(("sweeps", "layers", "tasks"), sweep.tasks or (), tasks, "task")
    for number, count in enumerate(sweep.counts):
        if count > base:
            yield Problem(
                ("sweeps", "layers", "counts", number),
                f"is {count}, but the base model has only {base} layers; write at most {base}",
            )


@CHECKS.reading("experiments", "comparison", "sweeps", "student.layers", "base_model.layers")
def check_layer_sweep_starts(draft: Draft) -> Found:
    """A student whose base layers or teacher layers are listed has one depth only."""
    layers = draft.config.student.layers
    others = set(draft.config.sweeps.layers.counts) - {layers}
    for experiment in _compared(draft):
        for chosen, what, remedy in (
            (experiment.init, "starts from {} listed base layers", "init: upper"),
            (experiment.layer_map, "learns from {} listed teacher layers", "layer_map: uniform"),
        ):
            listed = () if isinstance(chosen, str) else chosen
            sound = len(listed) == layers and max(listed) <= draft.config.base_model.layers
            if others and sound:
                yield Problem(
                    ("sweeps", "layers", "counts"),
                    f"{experiment.name} {what.format(layers)} and has no other depth; give it "
                    f"{remedy}, or write []",
                )


@CHECKS.reading("experiments", "comparison", "sweeps", "student", "tasks")
def check_layer_sweep_epochs(draft: Draft) -> Found:
    """Where the students compared have turns for their layers, deep ones have epochs for all."""
    staged = [experiment for experiment in _compared(draft) if experiment.has_stages]
    deepest = max(draft.config.sweeps.layers.counts, default=0)
    for experiment in staged:
        turns = len(distilled_layers(experiment.layer_map, deepest)) if deepest else 0
        needed = turns + (experiment.output_from == "end")
        for task in draft.config.tasks:
            epochs = epochs_of(draft.config, experiment, task)
            if epochs < needed:
                yield Problem(
                    ("sweeps", "layers", "counts"),
                    f"{deepest} layers need {needed} epochs with {experiment.name}, but there are "
                    f"{epochs} on {task}; remove the count or raise the epochs",
                )


def _students(draft: Draft) -> list[str]:
    """Names of all student experiments, faulty ones too: one mistake is reported once."""
    teachers = {experiment.name for experiment in draft.experiments if experiment.is_teacher}
    return [name for name in draft.names if name not in teachers]


def _compared(draft: Draft) -> list[Experiment]:
    names = draft.config.comparison.names
    return [experiment for experiment in draft.students if experiment.name in names]


@CHECKS.reading("sweeps")
def check_fractions(draft: Draft) -> Found:
    """Fractions are whole percents, which name the runs' folders."""
    for number, fraction in enumerate(draft.config.sweeps.data_size.fractions):
        percent = round(100 * fraction)
        if percent < 1 or abs(100 * fraction - percent) > 1e-6:
            yield Problem(
                ("sweeps", "data_size", "fractions", number),
                f"{fraction} is not a whole percentage; write {max(percent, 1) / 100}",
            )


@CHECKS.reading("figures", "experiments", "task_definitions")
def check_figures(draft: Draft) -> Found:
    """A figure has the keys of its kind, and they name what exists."""
    for name, figure in draft.config.figures.items():
        if figure is None:
            continue
        yield from _figure_keys(("figures", name), figure)
        if figure.task:
            yield from unknown(
                ("figures", name, "task"), [figure.task], known_tasks(draft.config), "task"
            )
        path = ("figures", name, "experiments")
        yield from unknown(path, figure.experiments or (), _students(draft), STUDENT)


@CHECKS.reading("figures", "grids")
def check_figure_grids(draft: Draft) -> Found:
    """A figure of grids has one with its factors."""
    for name, figure in draft.config.figures.items():
        factors = FACTORS_OF.get(figure.kind, ()) if figure is not None else ()
        if figure is not None and factors and not having(draft.grids, factors):
            needed = f"a figure of kind {figure.kind} needs a grid that varies"
            sentence = f"{needed} {' and '.join(factors)}; write one, or remove the figure"
            yield Problem(("figures", name), sentence)


@CHECKS.reading("figures")
def check_figure_files(draft: Draft) -> Found:
    """No figure has the name of the second file of another one."""
    figures = draft.config.figures
    for name, figure in figures.items():
        summary = f"{name}_summary"
        if figure is not None and figure.kind == "calibration" and figures.get(summary):
            yield Problem(
                ("figures", summary),
                f"figure '{name}' writes a file of this name; choose another name",
            )


@CHECKS.reading("figures", "student.layers", "tasks", "sweeps")
def check_figure_layers(draft: Draft) -> Found:
    """The layer that a figure of the study shows is one of the student's."""
    layers, tasks = draft.config.student.layers, all_tasks(draft.config)
    for name, figure in draft.config.figures.items():
        layer = figure.layer if figure is not None and figure.task in tasks else None
        if layer and layer > layers:
            yield Problem(
                ("figures", name, "layer"),
                f"is {layer}, but students have {layers} layers; write at most {layers}, or null "
                "for the last but one",
            )


def _figure_keys(path: Path, figure: FigureSettings) -> Found:
    kind, keys = figure.kind, FIGURE_KEYS[figure.kind]
    for key in keys:
        if getattr(figure, key) is UNSET:
            yield Problem((*path, key), f"missing; a figure of kind {kind} needs it")
    for key in set_keys(figure):
        if key != "kind" and key not in keys:
            allowed = f"it has {', '.join(keys)}" if keys else "it has no keys"
            yield Problem((*path, key), f"a figure of kind {kind} does not have it; {allowed}")
