"""What the index of a study's results shows, in which order."""

import re
from typing import Any

from internal_kd.study.analysis import readings
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
NUMBERED = re.compile(r"fig(\d+)(?:_|$)")
LAST = 1000
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
            {"title": "Tables", "items": _tables(TABLES | _readings(study))},
            {"title": "Claims and significance", "items": _tables(STATISTICS)},
            {"title": "Figures", "items": _figures(study)},
            {"title": "Files", "items": [_submission(study)]},
        ],
        "missing": [{"name": name, "why": why} for name, why in left_out(study).items()],
    }


def _readings(study: Study) -> dict[str, str]:
    """The table of readings, if the study has any."""
    return {"readings": "Readings: other readings of the paper"} if readings(study) else {}


def _tables(titles: dict[str, str]) -> list[Item]:
    return [
        {"kind": "table", "name": name, "title": title, "file": f"{name}.csv", "caption": name}
        for name, title in titles.items()
    ]


def _figures(study: Study) -> list[Item]:
    """Those with the paper's numbers first, ascending; a config's order depends on overlays."""
    return [_figure(figure) for figure in sorted(figures(study), key=_place)]


def _place(figure: Figure) -> tuple[int, str]:
    number = NUMBERED.match(figure.name)
    return (int(number[1]) if number else LAST, figure.name)


def _figure(figure: Figure) -> Item:
    number = NUMBERED.match(figure.name)
    task = f"{TASKS[figure.task].title}, " if figure.task else ""
    what = f"{task}{KINDS[figure.kind]}"
    return {
        "kind": "figure",
        "name": figure.name,
        "title": f"Figure {number[1]}: {what}" if number else what[0].upper() + what[1:],
        "file": f"figures/{figure.name}.csv",
        "caption": f"figure_{figure.kind}",
        "more": [f"figures/{figure.name}_summary.csv"] if figure.kind == "calibration" else [],
    }


def _submission(study: Study) -> Item:
    others = (study.standard.name, study.teacher.name)
    return {
        "kind": "file",
        "name": "glue_submission",
        "title": "Submissions to the GLUE server",
        "file": "glue_submission.zip",
        "caption": "submission",
        "more": [f"glue_submission_{name}.zip" for name in others],
    }
