"""Checks of unlabelled text and of the general students that learn from it."""

from collections.abc import Iterator

from internal_kd.objectives.registry import OBJECTIVES, OUTPUT_OBJECTIVES
from internal_kd.specs.agnostic import AgnosticModel
from internal_kd.specs.experiments import ORIGINS
from internal_kd.specs.sizes import misfits_of_losses
from internal_kd.study.checks import combined_problems
from internal_kd.study.draft import Checks, Draft, Found
from internal_kd.study.files import corpus_problems, positions_of, sizes_of
from internal_kd.study.problems import Path, Problem, nearest
from internal_kd.study.results_folder import input_problems

CHECKS = Checks()
SOURCE_KEYS = ("corpus.source", "corpus.path")


def _models(draft: Draft) -> Iterator[tuple[Path, AgnosticModel]]:
    for name, model in (draft.config.agnostic or {}).items():
        yield ("agnostic", name), model


@CHECKS.reading("agnostic")
def check_names(draft: Draft) -> Found:
    """A general student has not the name of another start of students."""
    for path, _ in _models(draft):
        if path[-1] in ORIGINS:
            yield Problem(
                path, f"'{path[-1]}' has a meaning of its own in init_from; choose another name"
            )


@CHECKS.reading("agnostic", "extensions")
def check_objectives(draft: Draft) -> Found:
    """Losses are between layers: unlabelled text has no labels and no classes."""
    for path, model in _models(draft):
        for name in model.internal:
            if name in OUTPUT_OBJECTIVES:
                yield Problem(
                    (*path, "internal", name),
                    "a loss of the output needs a task, and unlabelled text has none; name losses "
                    "between layers, such as attention_mse",
                )
            elif name not in OBJECTIVES:
                yield Problem(
                    (*path, "internal", name), f"unknown objective; {nearest(name, OBJECTIVES)}"
                )


@CHECKS.reading("agnostic", "extensions")
def check_combined(draft: Draft) -> Found:
    """Objectives that compare single layers do not learn from all of them at once."""
    for path, model in _models(draft):
        if model.layer_map == "all":
            yield from combined_problems(path, model.internal)


@CHECKS.reading(
    "agnostic",
    "base_model",
    "student.base_model",
    "pretraining.model",
    "distillation.relation_heads",
)
def check_sizes(draft: Draft) -> Found:
    """Losses fit a student that differs from the base model in its sizes."""
    config, own = draft.config, draft.config.student.base_model
    if own is None:
        return
    teacher, student = (sizes_of(config, base) for base in (config.base_model, own))
    if teacher is None or student is None:
        return
    heads = config.distillation.relation_heads
    for path, model in _models(draft):
        for key, sentence in misfits_of_losses(model.internal, heads, teacher, student):
            yield Problem((*path, *key), sentence)


@CHECKS.reading("agnostic", "student.layers", "student.base_model", "base_model.layers")
def check_layer_lists(draft: Draft) -> Found:
    """An explicit choice of layers has one for each student layer."""
    layers, base = draft.config.student.layers, draft.config.base_model.layers
    own = draft.config.student.base_model
    depths = {"init": base if own is None else own.layers, "layer_map": base}
    for path, model in _models(draft):
        for key, chosen in (("init", model.init), ("layer_map", model.layer_map)):
            base = depths[key]
            if isinstance(chosen, str) or (len(chosen) == layers and max(chosen) <= base):
                continue
            yield Problem(
                (*path, key),
                f"is {list(chosen)}; name {layers} layers (student.layers) between 1 and {base}",
            )


@CHECKS.reading("agnostic", "experiments", "comparison", "sweeps", "student.layers")
def check_layer_sweep(draft: Draft) -> Found:
    """A general student whose layers are listed has one depth only."""
    models, names = draft.config.agnostic or {}, draft.config.comparison.names
    others = set(draft.config.sweeps.layers.counts) - {draft.config.student.layers}
    compared = {row.init_from for row in draft.students if row.name in names}
    for name in sorted(compared & models.keys()) if others else ():
        for key in ("init", "layer_map"):
            if not isinstance(getattr(models[name], key), str):
                yield Problem(
                    ("agnostic", name, key),
                    "lists layers for one depth, but sweeps.layers.counts has others; write "
                    f"{'upper' if key == 'init' else 'uniform'}, or [] there",
                )


@CHECKS.reading("agnostic")
def check_steps(draft: Draft) -> Found:
    """A training ends with an evaluation."""
    for path, model in _models(draft):
        steps, every = model.training.steps, model.training.evaluate_every
        if steps % every:
            yield Problem(
                (*path, "training", "steps"),
                f"{steps} steps are no multiple of evaluate_every, {every}; write "
                f"{-(-steps // every) * every}, or another evaluate_every",
            )


@CHECKS.reading("agnostic")
def check_masking(draft: Draft) -> Found:
    """The shares of tokens that are hidden or replaced add up to at most one."""
    for path, model in _models(draft):
        masking = model.masking
        if masking.mask + masking.random > 1:
            yield Problem(
                (*path, "masking", "random"),
                f"mask and random are {masking.mask} and {masking.random} of the chosen tokens; "
                f"write at most {round(1 - masking.mask, 10)}",
            )


@CHECKS.reading("agnostic", "results", *SOURCE_KEYS)
def check_corpus(draft: Draft) -> Found:
    """The text that general students learn from exists, and the study does not write there."""
    corpus = draft.config.corpus
    if not draft.config.agnostic:
        return
    if corpus.source == "embedded":
        if corpus.path is not None:
            yield Problem(
                ("corpus", "path"),
                f"is '{corpus.path}', but corpus.source is embedded, which reads no path; write "
                "null",
            )
        return
    if corpus.path is None:
        yield Problem(
            ("corpus", "path"), f"is null, but corpus.source is {corpus.source}; name the text"
        )
        return
    yield from input_problems(("corpus", "path"), corpus.path, draft.config.results)
    yield from corpus_problems(corpus)


@CHECKS.reading("agnostic", "base_model", "corpus.max_length", "pretraining.max_length")
def check_max_length(draft: Draft) -> Found:
    """Sequences fit into the positions of the base model, where these are known."""
    config, length = draft.config, draft.config.corpus.max_length
    made_here = config.base_model.source in ("embedded", "pretrain")
    positions = config.pretraining.max_length if made_here else positions_of(config.base_model)
    if config.agnostic and positions is not None and length > positions:
        yield Problem(
            ("corpus", "max_length"),
            f"is {length}, but the base model has {positions} positions; write at most {positions}",
        )
