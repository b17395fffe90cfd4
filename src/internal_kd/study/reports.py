"""Every table, statistic, figure and file that a study can have: one entry each.

The checks of the config, the rules of the workflow, the index and Snakemake's report all read these
entries.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from internal_kd.specs.grid_reports import GridSettings
from internal_kd.specs.jobs import Settings, encode
from internal_kd.specs.reports import ItemKind, ReportSettings
from internal_kd.specs.runs import Run
from internal_kd.study import analysis, analysis_settings, grids
from internal_kd.study.config import Study
from internal_kd.study.figures import Figure, figures
from internal_kd.study.glue import GLUE

SCORES = ("metrics.json", "predictions.parquet")
NUMBERED = re.compile(r"fig(\d+)(?:_|$)")
LAST = 1000


@dataclass(frozen=True)
class Reads:
    """What a report is made from.

    Attributes:
        runs: whose files it reads.
        run_files: those files.
        distances: students whose distances from the teacher it reads.
        tasks: whose texts it reads.
        maps: task, example and the models whose attention maps it reads.
    """

    runs: tuple[Run, ...] = ()
    run_files: tuple[str, ...] = SCORES
    distances: tuple[Run, ...] = ()
    tasks: tuple[str, ...] = ()
    maps: tuple[str, int, tuple[Run, ...]] | None = None


@dataclass(frozen=True)
class Report:
    """A table, statistic, figure or file of one study.

    Attributes:
        name: of its files below the results, without suffix.
        rule: that makes it.
        title: as the index has it.
        section: of the index and of Snakemake's report.
        function: module below `internal_kd.reporting`, and the function there that writes it.
        caption: name of its text in `workflow/report`.
        content: settings of that function.
        reads: what it is made from.
        files: all that it writes, below the results; the first is the target.
        kind: how it is shown.
        subcategory: of Snakemake's report.
        resources: key of the config's `resources`.
        message: what Snakemake prints when it is made.
    """

    name: str
    rule: str
    title: str
    section: str
    function: str
    caption: str
    content: ReportSettings
    reads: Reads
    files: tuple[str, ...]
    kind: ItemKind
    resources: str
    message: str
    subcategory: str = ""

    @property
    def settings(self) -> Settings:
        """Settings of that function as plain data."""
        return encode(self.content)

    @property
    def shown(self) -> str:
        """The file that Snakemake's report has."""
        return f"{self.name}.png" if self.kind == "figure" else self.files[0]

    @property
    def modules(self) -> tuple[str, str]:
        """Modules whose code makes it."""
        module = self.function.partition(":")[0]
        return "internal_kd.jobs.product", f"internal_kd.reporting.{module}"


@dataclass(frozen=True)
class Kind:
    """A table, statistic, file or figure that a study may have; see `Report` for the attributes.

    Attributes:
        rule: "" for one that is named as the report is.
        possible: whether a study can have it.
    """

    title: str
    section: str
    function: str
    settings: Callable[[Study], ReportSettings]
    reads: Callable[[Study], Reads]
    suffixes: tuple[str, ...] = (".csv", ".md", ".tex")
    resources: str = "tables"
    message: str = ""
    rule: str = ""
    subcategory: str = ""
    possible: Callable[[Study], bool] = lambda _: True


@dataclass(frozen=True)
class FigureKind:
    """A kind of figure; see `Report` for the attributes."""

    title: str
    function: str
    settings: Callable[[Study, Figure], ReportSettings]
    reads: Callable[[Study, Figure], Reads]
    more: tuple[str, ...] = ()


TABLES, STATISTICS, FIGURES, FILES = "Tables", "Claims and significance", "Figures", "Files"
SHOWN_AS: Mapping[str, ItemKind] = {FIGURES: "figure", FILES: "file"}


def _of_grids(
    title: str,
    function: str,
    settings: Callable[[Study], GridSettings],
    suffixes: tuple[str, ...] = (".csv", ".md", ".tex"),
    section: str = TABLES,
) -> Kind:
    """A table of the experiments of grids."""
    return Kind(
        title=title,
        section=section,
        function=function,
        settings=settings,
        reads=lambda study: Reads(grids.runs_of_cells(study, settings(study))),
        suffixes=suffixes,
        resources="statistics",
        message=title,
        possible=lambda study: bool(settings(study).cells),
    )


REPORTS: Mapping[str, Kind] = {
    "table1": Kind(
        title="Table 1: development results",
        section=TABLES,
        function="table1:write_table1",
        settings=analysis_settings.table1_settings,
        reads=lambda study: Reads(study.runs_of_table1()),
        message="Table 1",
    ),
    "table2": Kind(
        title="Table 2: test results",
        section=TABLES,
        function="table2:write_table2",
        settings=analysis_settings.table2_settings,
        reads=lambda study: Reads(analysis.table2_runs(study)),
        message="Table 2",
    ),
    "table3": Kind(
        title="Table 3: right and wrong where the teacher is right and wrong",
        section=TABLES,
        function="table3:write_table3",
        settings=analysis_settings.table3_settings,
        reads=lambda study: Reads(analysis.comparison_runs(study, study.table1_tasks)),
        message="Table 3",
    ),
    "table4": Kind(
        title="Table 4: where exactly one student is wrong",
        section=TABLES,
        function="table4:write_table4",
        settings=analysis_settings.table4_settings,
        reads=lambda study: Reads(
            analysis.comparison_runs(study, study.table1_tasks), tasks=study.table1_tasks
        ),
        message="Table 4",
    ),
    "readings": Kind(
        title="Readings: other readings of the paper",
        section=TABLES,
        function="readings:write_readings",
        settings=analysis_settings.readings_settings,
        reads=lambda study: Reads(analysis.readings_runs(study)),
        message="Readings of the paper",
        possible=lambda study: bool(analysis.readings(study)),
    ),
    "claims": Kind(
        title="Claims of the paper",
        section=STATISTICS,
        function="claims.write:write_claims",
        settings=analysis_settings.claims_settings,
        reads=lambda study: Reads(
            analysis.claims_runs(study),
            (*SCORES, "history.csv"),
            distances=analysis.attention_runs(study),
        ),
        suffixes=(".csv", ".md"),
        resources="statistics",
        message="Claims of the paper",
    ),
    "significance": Kind(
        title="Internal against standard KD",
        section=STATISTICS,
        function="significance:write_significance",
        settings=analysis_settings.significance_settings,
        reads=lambda study: Reads(analysis.significance_runs(study)),
        resources="statistics",
        message="Internal against standard KD: significance",
    ),
    "objectives": _of_grids("Objectives", "objectives:write_objectives", grids.objectives_settings),
    "starts": _of_grids(
        "Starts: objectives by start of the student's layers",
        "starts:write_starts",
        grids.starts_settings,
        (".csv", "_spread.csv", ".md", ".tex"),
    ),
    "mappings": _of_grids("Maps of layers", "mappings:write_mappings", grids.mappings_settings),
    "objective_claims": _of_grids(
        "Claims on objectives, starts and maps of layers",
        "claims.objectives:write_objective_claims",
        grids.claims_settings,
        (".csv", ".md"),
        STATISTICS,
    ),
    "glue_submission": Kind(
        title="Submissions to the GLUE server",
        section=FILES,
        function="submission:write_submissions",
        settings=analysis_settings.submission_settings,
        reads=lambda study: Reads(analysis.table2_runs(study), tasks=study.table1_tasks),
        suffixes=(".zip", "_{standard}.zip", "_{teacher}.zip", ".md"),
        message="Submissions to the GLUE server",
        possible=lambda study: any(task in GLUE for task in study.table1_tasks),
    ),
}

FIGURE_KINDS: Mapping[str, FigureKind] = {
    "parameters": FigureKind(
        title="score against parameters",
        function="figures.parameters:write_parameters",
        settings=analysis_settings.parameters_settings,
        reads=lambda study, figure: Reads(
            analysis.layer_sweep_runs(study, figure.task), ("metrics.json",)
        ),
    ),
    "data_size": FigureKind(
        title="score against training size",
        function="figures.data_size:write_data_size",
        settings=analysis_settings.data_size_settings,
        reads=lambda study, figure: Reads(
            analysis.size_sweep_runs(study, figure.task), ("metrics.json",)
        ),
    ),
    "convergence": FigureKind(
        title="convergence",
        function="figures.convergence:write_convergence",
        settings=analysis_settings.convergence_settings,
        reads=lambda study, figure: Reads(
            analysis.convergence_runs(study, figure), ("metrics.json", "history.csv")
        ),
    ),
    "attention": FigureKind(
        title="attention of one head",
        function="figures.attention:write_attention",
        settings=analysis_settings.attention_settings,
        reads=lambda study, figure: _maps(study, figure),
    ),
    "heads": FigureKind(
        title="attention of all layers",
        function="figures.heads:write_heads",
        settings=analysis_settings.heads_settings,
        reads=lambda study, figure: _maps(study, figure),
    ),
    "attention_kl": FigureKind(
        title="distances from the teacher on all examples",
        function="figures.attention_kl:write_attention_kl",
        settings=analysis_settings.attention_kl_settings,
        reads=lambda study, _: Reads(distances=analysis.attention_runs(study)),
    ),
    "calibration": FigureKind(
        title="calibration",
        function="figures.calibration:write_calibration",
        settings=analysis_settings.calibration_settings,
        reads=lambda study, _: Reads(analysis.comparison_runs(study, study.table1_tasks)),
        more=("_summary.csv",),
    ),
    "objective_scores": FigureKind(
        title="objectives by task and start",
        function="figures.objective_scores:write_objective_scores",
        settings=grids.objective_scores_settings,
        reads=lambda study, _: Reads(grids.runs_of_cells(study, grids.objectives_settings(study))),
    ),
    "start_slopes": FigureKind(
        title="score by start",
        function="figures.start_slopes:write_start_slopes",
        settings=grids.start_slopes_settings,
        reads=lambda study, _: Reads(
            grids.runs_of_cells(study, grids.starts_settings(study)), ("metrics.json",)
        ),
    ),
}


def reports(study: Study) -> tuple[Report, ...]:
    """The tables, statistics, files and figures of a study, in the order of the registries.

    Figures with the paper's numbers come first, ascending: a config's order depends on overlays.
    """
    chosen = study.config.reports
    kinds = {
        name: kind
        for name, kind in REPORTS.items()
        if kind.possible(study) and (chosen is None or name in chosen)
    }
    drawn = {
        f"figures/{figure.name}": _kind_of(study, figure)
        for figure in sorted(figures(study), key=_place)
    }
    return tuple(_report(study, name, kind) for name, kind in (kinds | drawn).items())


def _report(study: Study, name: str, kind: Kind) -> Report:
    roles = {"standard": study.standard.name, "teacher": study.teacher.name}
    return Report(
        name=name,
        rule=kind.rule or name,
        title=kind.title,
        section=kind.section,
        function=kind.function,
        caption=kind.rule or name,
        content=kind.settings(study),
        reads=kind.reads(study),
        files=tuple(f"{name}{suffix.format(**roles)}" for suffix in kind.suffixes),
        kind=SHOWN_AS.get(kind.section, "table"),
        resources=kind.resources,
        message=kind.message,
        subcategory=kind.subcategory,
    )


def _kind_of(study: Study, figure: Figure) -> Kind:
    """A figure as what a study may have."""
    kind = FIGURE_KINDS[figure.kind]
    return Kind(
        title=_figure_title(study, figure, kind),
        section=FIGURES,
        function=kind.function,
        settings=lambda study: kind.settings(study, figure),
        reads=lambda study: kind.reads(study, figure),
        suffixes=(".csv", ".pdf", ".png", *kind.more),
        resources="figures",
        message=f"{{wildcards.figure}}: {kind.title}",
        rule=f"figure_{figure.kind}",
        subcategory=_capitalised(kind.title),
    )


def _maps(study: Study, figure: Figure) -> Reads:
    shown = analysis.shown_runs(study, figure.task)
    return Reads(maps=(figure.task, figure.example, shown))


def _place(figure: Figure) -> tuple[int, str]:
    number = NUMBERED.match(figure.name)
    return (int(number[1]) if number else LAST, figure.name)


def _figure_title(study: Study, figure: Figure, kind: FigureKind) -> str:
    number = NUMBERED.match(figure.name)
    task = f"{study.task_specs[figure.task].title}, " if figure.task else ""
    what = f"{task}{kind.title}"
    return f"Figure {number[1]}: {what}" if number else _capitalised(what)


def _capitalised(text: str) -> str:
    return text[0].upper() + text[1:]
