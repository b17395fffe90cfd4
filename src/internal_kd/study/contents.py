"""What the index of a study's results shows, in which order."""

from collections.abc import Iterable

from internal_kd.specs.jobs import Settings, encode
from internal_kd.specs.reports import IndexItem, IndexSection, IndexSettings, LeftOut
from internal_kd.study.analysis_settings import report_settings
from internal_kd.study.config import Study
from internal_kd.study.figures import skipped_figures
from internal_kd.study.reports import FIGURES, FILES, STATISTICS, TABLES, Report, reports


def index_settings(study: Study) -> Settings:
    """Settings of the index, as plain data."""
    return encode(index_of(study))


def index_of(study: Study) -> IndexSettings:
    """Sections of the index, and the figures that the study cannot have."""
    made = reports(study)
    return IndexSettings(
        **vars(report_settings(study, ())),
        sections=tuple(
            IndexSection(section, items)
            for section in (TABLES, STATISTICS, FIGURES, FILES)
            if (items := tuple(_items(made, section)))
        ),
        missing=tuple(LeftOut(name, why) for name, why in skipped_figures(study).items()),
    )


def _items(made: Iterable[Report], section: str) -> Iterable[IndexItem]:
    return (_item(report) for report in made if report.section == section)


def _item(report: Report) -> IndexItem:
    known = {f"{report.name}{suffix}" for suffix in (".csv", ".md", ".tex", ".pdf", ".png", ".zip")}
    return IndexItem(
        kind=report.kind,
        name=report.name.removeprefix("figures/"),
        title=report.title,
        file=report.files[0],
        caption=report.caption,
        more=tuple(file for file in report.files if report.kind != "table" and file not in known),
    )
