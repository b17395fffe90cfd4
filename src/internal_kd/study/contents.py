"""What the index of a study's results shows, in which order."""

from typing import Any

from internal_kd.study.config import Study
from internal_kd.study.figures import Figure, figures, left_out
from internal_kd.study.settings import Settings, note
from internal_kd.tasks import TASKS

Item = dict[str, Any]

TABLES = {
    "table1": "Table 1: development results",
    "table2": "Table 2: test results",
    "table3": "Table 3: right and wrong where the teacher is right and wrong",
    "table4": "Table 4: where exactly one student is wrong",
}
STATISTICS = {
    "claims": "Claims of the paper",
    "significance": "Internal against standard KD",
}
KINDS = {
    "parameters": "score against parameters",
    "data_size": "score against training size",
    "convergence": "convergence",
    "attention": "attention of one head",
    "heads": "attention of all layers",
    "attention_kl": "distances from the teacher on all examples",
    "calibration": "calibration",
}


def index_settings(study: Study) -> Settings:
    """Sections of the index, and the figures that the study cannot have."""
    return {
        "study": study.name,
        "note": note(study),
        "sections": [
            {"title": "Tables", "items": _tables(TABLES)},
            {"title": "Claims and significance", "items": _tables(STATISTICS)},
            {"title": "Figures", "items": [_figure(figure) for figure in figures(study)]},
            {"title": "Files", "items": [_submission()]},
        ],
        "missing": [{"name": name, "why": why} for name, why in left_out(study).items()],
    }


def _tables(titles: dict[str, str]) -> list[Item]:
    return [
        {"kind": "table", "name": name, "title": title, "file": f"{name}.csv", "caption": name}
        for name, title in titles.items()
    ]


def _figure(figure: Figure) -> Item:
    name = figure.name.replace("fig", "Figure ", 1) if figure.name.startswith("fig") else ""
    task = f"{TASKS[figure.task].title}, " if figure.task else ""
    title = f"{name}: {task}{KINDS[figure.kind]}" if name else f"{task}{KINDS[figure.kind]}"
    return {
        "kind": "figure",
        "name": figure.name,
        "title": title[0].upper() + title[1:],
        "file": f"figures/{figure.name}.csv",
        "caption": f"figure_{figure.kind}",
    }


def _submission() -> Item:
    return {
        "kind": "file",
        "name": "glue_submission",
        "title": "Submissions to the GLUE server",
        "file": "glue_submission.zip",
        "caption": "submission",
    }
