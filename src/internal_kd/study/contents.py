"""What the index of a study's results shows, in which order."""

from collections.abc import Iterable
from typing import Any

from internal_kd.study.config import Study
from internal_kd.study.figures import skipped_figures
from internal_kd.study.reports import FIGURES, FILES, STATISTICS, TABLES, Report, reports
from internal_kd.study.settings import Settings, note

Item = dict[str, Any]


def index_settings(study: Study) -> Settings:
    """Sections of the index, and the figures that the study cannot have."""
    made = reports(study)
    return {
        "study": study.name,
        "note": note(study),
        "sections": [
            {"title": section, "items": items}
            for section in (TABLES, STATISTICS, FIGURES, FILES)
            if (items := list(_items(made, section)))
        ],
        "missing": [{"name": name, "why": why} for name, why in skipped_figures(study).items()],
    }


def _items(made: Iterable[Report], section: str) -> Iterable[Item]:
    return (_item(report) for report in made if report.section == section)


def _item(report: Report) -> Item:
    item = {
        "kind": report.kind,
        "name": report.name.removeprefix("figures/"),
        "title": report.title,
        "file": report.files[0],
        "caption": report.caption,
    }
    known = {f"{report.name}{suffix}" for suffix in (".csv", ".md", ".tex", ".pdf", ".png", ".zip")}
    more = [file for file in report.files if file not in known]
    return item if report.kind == "table" else {**item, "more": more}
