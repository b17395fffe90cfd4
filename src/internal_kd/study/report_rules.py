"""What the rules of tables and figures declare: one rule for each kind that a study has."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from internal_kd.study.reports import Report

FIGURES = "figures/"
Made = Mapping[str, Report]
Value = TypeVar("Value")


def by_rule(reports: Iterable[Report]) -> dict[str, dict[str, Report]]:
    """What each rule makes, by name; that of a figure is the wildcard of its rule."""
    made: dict[str, dict[str, Report]] = defaultdict(dict)
    for report in reports:
        made[report.rule][report.name.removeprefix(FIGURES)] = report
    return made


def for_each(made: Made, get: Callable[[Report], Value]) -> Callable[[Mapping[str, str]], Value]:
    """What `get` gives for the table or figure that a job makes, as a function of wildcards."""

    def value(wildcards: Mapping[str, str]) -> Value:
        name = wildcards.get("figure")
        return get(made[name] if name else next(iter(made.values())))

    return value


def pattern_of_name(report: Report) -> str:
    """The name of a table, or of all figures of a kind: where log and benchmark lie."""
    return f"{FIGURES}{{figure}}" if report.kind == "figure" else report.name


def output_patterns(report: Report, results: str) -> dict[str, str]:
    """Paths of its files, with a wildcard for the name of a figure, by file."""
    stem = f"{results}/{pattern_of_name(report)}"
    same = report.kind != "figure"
    return {
        file: f"{results}/{file}" if same else f"{stem}{file.removeprefix(report.name)}"
        for file in report.files
    }


def shown_in_report(report: Report) -> str | None:
    """The file that Snakemake's report shows, if it shows one."""
    return None if report.kind == "file" else report.shown


def labels_in_report(report: Report) -> dict[str, object]:
    """Where Snakemake's report shows a table or figure, and with which text."""
    is_figure = report.kind == "figure"
    label = "{figure}" if is_figure else f"{report.title.partition(':')[0]}, data (CSV)"
    return {
        "caption": f"../report/{report.caption}.rst",
        "category": report.section,
        "subcategory": report.subcategory or None,
        "labels": {"figure" if is_figure else "table": label},
    }
