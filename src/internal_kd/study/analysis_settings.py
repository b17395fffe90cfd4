"""The settings of tables, figures and statistics: no more than can change them.

What several kinds share is built as the type that they extend, and handed on with `vars`.
"""

from collections.abc import Iterable

from internal_kd.specs.experiments import Experiment
from internal_kd.specs.figures import (
    AttentionKlSettings,
    AttentionSettings,
    CalibrationSettings,
    ConvergenceSettings,
    DataSizeSettings,
    HeadsSettings,
    ParametersSettings,
    RoleRow,
)
from internal_kd.specs.reports import (
    Inference,
    ModelsSettings,
    PaperRow,
    ReportSettings,
    Row,
    StudentsSettings,
)
from internal_kd.specs.tables import (
    ChoiceSettings,
    ClaimsSettings,
    LayerSweep,
    Reading,
    ReadingsSettings,
    SignificanceSettings,
    SizeSweep,
    SubmissionSettings,
    Table1Settings,
    Table2Settings,
    Table3Settings,
    Table4Settings,
)
from internal_kd.study import analysis
from internal_kd.study.config import Study
from internal_kd.study.figures import Figure

EMBEDDED_NOTE = (
    "Embedded study: generated sentences and a small base model. "
    "The numbers are not the paper's and cannot be compared with them."
)


def report_settings(study: Study, tasks: Iterable[str]) -> ReportSettings:
    """What every table and figure is given: whose numbers they are, on which tasks."""
    tasks = tuple(tasks)
    generated = any(study.definition(task) is None for task in tasks or study.tasks)
    embedded = study.config.data.source == "embedded" and generated
    specs = {name: study.task_specs[name] for name in tasks}
    note = EMBEDDED_NOTE if embedded else ""
    return ReportSettings(study=study.name, task_specs=specs, note=note)


def _of_table1(study: Study) -> ReportSettings:
    """What is given to all that shows the tasks of Table 1."""
    return report_settings(study, study.table1_tasks)


def _students(study: Study, tasks: Iterable[str]) -> StudentsSettings:
    """The study, and the two students compared."""
    return StudentsSettings(
        **vars(report_settings(study, tasks)),
        standard=_row(study, study.standard),
        internal=_row(study, study.internal),
    )


def _models(study: Study, tasks: Iterable[str]) -> ModelsSettings:
    """The study, and the three models that most tables and figures put side by side."""
    return ModelsSettings(**vars(_students(study, tasks)), teacher=_row(study, study.teacher))


def inference(study: Study) -> Inference:
    """How differences are tested."""
    chosen = study.config.statistics
    return Inference(confidence=chosen.confidence, resamples=chosen.resamples, seed=chosen.seed)


def _row(study: Study, experiment: Experiment) -> Row:
    """An experiment with the head that its student starts with, and its baseline."""
    if experiment.is_teacher:
        return Row(experiment.name, experiment.label)
    baseline = study.baseline_of(experiment)
    name = baseline.name if baseline else None
    return Row(experiment.name, experiment.label, experiment.head_init, name)


def _rows(study: Study, experiments: Iterable[Experiment]) -> tuple[Row, ...]:
    return tuple(_row(study, experiment) for experiment in experiments)


def _paper_rows(study: Study, experiments: Iterable[Experiment]) -> tuple[PaperRow, ...]:
    return tuple(
        PaperRow(**vars(_row(study, experiment)), paper_row=experiment.paper_row)
        for experiment in experiments
    )


def table1_settings(study: Study) -> Table1Settings:
    """Table 1."""
    return Table1Settings(
        **vars(_of_table1(study)),
        **vars(inference(study)),
        experiments=_paper_rows(study, study.table1_experiments),
        tasks=study.table1_tasks,
        with_paper=study.config.table1.paper_values,
    )


def _choice(study: Study) -> ChoiceSettings:
    return ChoiceSettings(
        **vars(_of_table1(study)),
        tasks=study.table1_tasks,
        teacher=_row(study, study.teacher),
        standard=_row(study, study.standard),
        candidates=_rows(study, analysis.candidates(study)),
    )


def table2_settings(study: Study) -> Table2Settings:
    """Table 2."""
    return Table2Settings(**vars(_choice(study)), with_paper=study.config.table1.paper_values)


def submission_settings(study: Study) -> SubmissionSettings:
    """Files for GLUE's server; the data are GLUE's own unless generated or cut short."""
    data = study.config.data
    return SubmissionSettings(
        **vars(_choice(study)), official=data.source != "embedded" and not data.limit
    )


def table3_settings(study: Study) -> Table3Settings:
    """Table 3."""
    return Table3Settings(
        **vars(_models(study, study.table1_tasks)),
        tasks=study.table1_tasks,
        with_paper=study.config.table1.paper_values,
        confidence=study.config.statistics.confidence,
    )


def table4_settings(study: Study) -> Table4Settings:
    """Table 4."""
    return Table4Settings(
        **vars(_models(study, study.table1_tasks)),
        tasks=study.table1_tasks,
        examples=study.config.table4.examples,
        seed=study.config.table4.seed,
        student_seed=study.seeds[0],
    )


def significance_settings(study: Study) -> SignificanceSettings:
    """Tests of internal against standard KD."""
    return SignificanceSettings(
        **vars(_students(study, study.table1_tasks)),
        **vars(inference(study)),
        tasks=study.table1_tasks,
        candidates=_rows(study, analysis.candidates(study)),
        teachers=len(study.teacher_seeds),
    )


def readings_settings(study: Study) -> ReadingsSettings:
    """Other readings of the paper."""
    return ReadingsSettings(
        **vars(_of_table1(study)),
        **vars(inference(study)),
        tasks=study.table1_tasks,
        readings=tuple(
            Reading(row.name, row.label, taken.name, taken.label)
            for row in analysis.readings(study)
            for taken in [study.experiments[str(row.reading_of)]]
        ),
    )


def claims_settings(study: Study) -> ClaimsSettings:
    """Checks of the paper's claims; experiments are found by the paper's row they stand for."""
    layer_tasks, size_tasks = analysis.layer_sweep_tasks(study), analysis.size_sweep_tasks(study)
    counts = {count for task in layer_tasks for count in analysis.layer_counts(study, task)}
    percents = {percent for task in size_tasks for percent in analysis.percents(study, task)}
    return ClaimsSettings(
        **vars(report_settings(study, (*study.table1_tasks, *size_tasks))),
        **vars(inference(study)),
        tasks=study.table1_tasks,
        rows=_paper_rows(study, analysis.claims_experiments(study)),
        standard=study.standard.name,
        internal=study.internal.name,
        sweep_layers=LayerSweep(layer_tasks, tuple(sorted(counts))),
        sweep_sizes=SizeSweep(size_tasks, tuple(sorted(percents))),
        student_layers=study.student_layers,
        margin=study.config.statistics.margin,
    )


def parameters_settings(study: Study, figure: Figure) -> ParametersSettings:
    """Score against number of parameters."""
    return ParametersSettings(**vars(_models(study, [figure.task])), task=figure.task)


def data_size_settings(study: Study, figure: Figure) -> DataSizeSettings:
    """Score against training size."""
    return DataSizeSettings(
        **vars(_models(study, [figure.task])), task=figure.task, layers=study.student_layers
    )


def convergence_settings(study: Study, figure: Figure) -> ConvergenceSettings:
    """Scores over epochs."""
    return ConvergenceSettings(
        **vars(report_settings(study, [figure.task])),
        task=figure.task,
        teacher=_row(study, study.teacher),
        experiments=_rows(study, figure.experiments),
    )


def heads_settings(study: Study, figure: Figure) -> HeadsSettings:
    """Attention of all layers."""
    return HeadsSettings(**vars(_models(study, [figure.task])), task=figure.task, head=figure.head)


def attention_settings(study: Study, figure: Figure) -> AttentionSettings:
    """Attention of one head."""
    return AttentionSettings(**vars(heads_settings(study, figure)), layer=figure.layer)


def attention_kl_settings(study: Study, _: Figure) -> AttentionKlSettings:
    """Distances from the teacher on all examples."""
    return AttentionKlSettings(
        **vars(_students(study, study.table1_tasks)), tasks=study.table1_tasks
    )


def calibration_settings(study: Study, _: Figure) -> CalibrationSettings:
    """Confidence against accuracy."""
    return CalibrationSettings(
        **vars(_of_table1(study)),
        tasks=study.table1_tasks,
        experiments=tuple(
            RoleRow(**vars(row), role=role)
            for role, row in _models(study, study.table1_tasks).roles.items()
        ),
    )
