"""The settings of tables, figures and statistics, by rule."""

from collections.abc import Iterable

import msgspec

from internal_kd.specs.experiments import Experiment
from internal_kd.study import analysis
from internal_kd.study.config import Study
from internal_kd.study.figures import Figure
from internal_kd.study.settings import Settings, inference_settings, note, row_of


def _rows(study: Study, experiments: Iterable[Experiment]) -> list[Settings]:
    return [row_of(study, experiment) for experiment in experiments]


def _study(study: Study) -> Settings:
    return {"study": study.name, "note": note(study)}


def _compared(study: Study) -> Settings:
    """The study, and the three models that most tables and figures put side by side."""
    return {
        **_study(study),
        "teacher": row_of(study, study.teacher),
        "standard": row_of(study, study.standard),
        "internal": row_of(study, study.internal),
    }


def table2_settings(study: Study) -> Settings:
    """Table 2."""
    return {
        **_compared(study),
        "tasks": list(study.table1_tasks),
        "candidates": _rows(study, analysis.candidates(study)),
        "with_paper": study.config.table1.paper_values,
    }


def submission_settings(study: Study) -> Settings:
    """Files for GLUE's server; the data are GLUE's own unless generated or cut short."""
    data = study.config.data
    settings = table2_settings(study)
    del settings["with_paper"]
    return {**settings, "official": data.source != "embedded" and not data.limit}


def table3_settings(study: Study) -> Settings:
    """Table 3."""
    return {
        **_compared(study),
        "tasks": list(study.table1_tasks),
        "with_paper": study.config.table1.paper_values,
        "confidence": study.config.statistics.confidence,
    }


def table4_settings(study: Study) -> Settings:
    """Table 4."""
    tasks = list(study.table1_tasks)
    return {
        **_compared(study),
        "tasks": tasks,
        **msgspec.to_builtins(study.config.table4),
        "student_seed": study.seeds[0],
    }


def significance_settings(study: Study) -> Settings:
    """Tests of internal against standard KD."""
    settings = {
        **_compared(study),
        "tasks": list(study.table1_tasks),
        "candidates": _rows(study, analysis.candidates(study)),
        "teachers": len(study.teacher_seeds),
        **inference_settings(study),
    }
    del settings["teacher"]
    return settings


def readings_settings(study: Study) -> Settings:
    """Other readings of the paper."""
    return {
        **_study(study),
        "tasks": list(study.table1_tasks),
        "readings": [
            {
                "name": row.name,
                "label": row.label,
                "of": row.reading_of,
                "of_label": study.experiments[str(row.reading_of)].label,
            }
            for row in analysis.readings(study)
        ],
        **inference_settings(study),
    }


def claims_settings(study: Study) -> Settings:
    """Checks of the paper's claims; experiments are found by the paper's row they stand for."""
    rows = analysis.claims_experiments(study)
    layer_tasks, size_tasks = analysis.layer_sweep_tasks(study), analysis.size_sweep_tasks(study)
    counts = {count for task in layer_tasks for count in analysis.layer_counts(study, task)}
    percents = {percent for task in size_tasks for percent in analysis.percents(study, task)}
    return {
        **_study(study),
        "tasks": list(study.table1_tasks),
        "rows": [{**row_of(study, row), "paper_row": row.paper_row} for row in rows],
        "standard": study.standard.name,
        "internal": study.internal.name,
        "sweep_layers": {"tasks": list(layer_tasks), "counts": sorted(counts)},
        "sweep_sizes": {"tasks": list(size_tasks), "percents": sorted(percents)},
        "student_layers": study.student_layers,
        **msgspec.to_builtins(study.config.statistics),
    }


def figure_settings(study: Study, figure: Figure) -> Settings:
    """A figure of any kind."""
    settings = {**_compared(study), "task": figure.task}
    if figure.kind == "data_size":
        settings["layers"] = study.student_layers
    if figure.kind == "convergence":
        settings["experiments"] = _rows(study, figure.experiments)
    if figure.kind == "attention":
        settings |= {"layer": figure.layer, "head": figure.head}
    if figure.kind == "heads":
        settings["head"] = figure.head
    if not figure.task:
        del settings["task"]
        settings["tasks"] = list(study.table1_tasks)
    if figure.kind == "calibration":
        roles = ("teacher", "standard", "internal")
        settings["experiments"] = [settings.pop(role) | {"role": role} for role in roles]
    return settings
