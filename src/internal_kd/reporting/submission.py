"""Submissions to the GLUE server, which alone has the labels behind Table 2.

A submission is a zip with these eleven files at its top, each with a header and one line for
each example of the official test split: its place there, counted from 0, and the prediction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
import numpy.typing as npt

from internal_kd.errors import UserError
from internal_kd.evaluation.predictions import SplitPredictions
from internal_kd.reporting.examples import read_examples
from internal_kd.reporting.formats import MISSING, Cell, Column, Table, markdown
from internal_kd.reporting.runs import RunFolder, read_run_folders
from internal_kd.reporting.selection import best_experiment, best_run, development_score, runs_of
from internal_kd.reporting.wording import FLAG_TEXTS, METRIC_TITLES, capitalized
from internal_kd.specs.reports import Row
from internal_kd.specs.tables import SubmissionSettings

BINARY = ("0", "1")
ENTAILMENT = ("entailment", "not_entailment")
INFERENCE = ("entailment", "neutral", "contradiction")
HEADER = "index\tprediction"
GRADES = 6  # of STS-B: 0 to 5
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date of a zip: equal contents are equal bytes


@dataclass(frozen=True)
class GlueFile:
    """One file of a submission.

    Attributes:
        name: such as CoLA.tsv.
        rows: number of examples in GLUE's test split.
        labels: what stands for class 0, 1, ...; empty for STS-B, whose predictions are numbers
            from 0 to 5.
        task: name of the task in this project, empty where it has none.
    """

    name: str
    rows: int
    labels: tuple[str, ...]
    task: str = ""


FILES = (
    GlueFile("CoLA.tsv", 1063, BINARY, "cola"),
    GlueFile("SST-2.tsv", 1821, BINARY),
    GlueFile("MRPC.tsv", 1725, BINARY, "mrpc"),
    GlueFile("STS-B.tsv", 1379, ()),
    GlueFile("QQP.tsv", 390965, BINARY, "qqp"),
    GlueFile("MNLI-m.tsv", 9796, INFERENCE),
    GlueFile("MNLI-mm.tsv", 9847, INFERENCE),
    GlueFile("QNLI.tsv", 5463, ENTAILMENT, "qnli"),
    GlueFile("RTE.tsv", 3000, ENTAILMENT, "rte"),
    GlueFile("WNLI.tsv", 146, BINARY),
    GlueFile("AX.tsv", 1104, INFERENCE),
)


def placeholder(file: GlueFile) -> list[str]:
    """Predictions for a task without a model, as many as the server expects.

    Always the first label, whose score on the server means nothing. For STS-B the numbers 0.000 to
    5.000 in turn: the correlation that scores it is not defined for a constant.
    """
    if file.labels:
        return [file.labels[0]] * file.rows
    return [f"{row % GRADES:.3f}" for row in range(file.rows)]


def tsv(predictions: Sequence[str]) -> str:
    """The text of a file: the header, then index and prediction of each example."""
    lines = [f"{index}\t{prediction}" for index, prediction in enumerate(predictions)]
    return "\n".join([HEADER, *lines]) + "\n"


def write_zip(path: str | Path, texts: Mapping[str, str]) -> None:
    """Write files by name into a zip; the same texts give the same bytes."""
    with ZipFile(path, "w") as archive:
        for name, text in texts.items():
            info = ZipInfo(name, EPOCH)
            info.compress_type, info.create_system = ZIP_DEFLATED, 3  # 3: unix, on any system
            info.external_attr = 0o644 << 16
            archive.writestr(info, text)


COLUMNS = (
    Column("File", align="l"),
    Column("Experiment", align="l"),
    Column("Seed"),
    Column("Development score"),
    Column("Rows"),
    Column("Rows of GLUE"),
    Column("Remark", align="l"),
)


@dataclass(frozen=True)
class Filled:
    """A file of a submission: its predictions, the run they are of (if any) and a remark."""

    file: GlueFile
    predictions: Sequence[str]
    run: RunFolder | None
    remark: str


@dataclass(frozen=True)
class Submission:
    """A zip that was written: its name, whose predictions it holds, and its files."""

    name: str
    label: str
    files: Sequence[Filled]


def page(submissions: Iterable[Submission], settings: SubmissionSettings) -> str:
    """The page in Markdown: one table for each submission."""
    tables = [markdown(_table(submission, settings.official)) for submission in submissions]
    head = [
        "# Submissions to the GLUE server\n",
        f"Study: {settings.study}. One zip for each row of Table 2. Experiments are chosen on "
        "the development sets by their mean over the seeds, and of the chosen one the seed with "
        "the best development score is sent.\n",
        "The server expects a file for every task. Where there is no model, a placeholder "
        'has the first label throughout ("0" or "entailment"; STS-B: 0.000 to 5.000 in turn): '
        "its score, and the average over all tasks, mean nothing.\n",
        *([settings.note + "\n"] if settings.note else []),
    ]
    return "\n".join([*head, *tables])


def _table(submission: Submission, official: bool) -> Table:
    return Table(
        title=submission.name,
        caption=f"{capitalized(submission.label)}.",
        columns=COLUMNS,
        sections=[[_row(each) for each in submission.files]],
        notes=[_verdict(submission.files, official)],
    )


def _row(filled: Filled) -> list[Cell]:
    run = filled.run
    texts = [
        filled.file.name,
        run.experiment if run else MISSING,
        str(run.seed) if run else MISSING,
        _score(run) if run else MISSING,
        str(len(filled.predictions)),
        str(filled.file.rows),
        filled.remark,
    ]
    return [Cell(text) for text in texts]


def _score(run: RunFolder) -> str:
    metric = METRIC_TITLES[run.spec.selection_metric]
    return f"{metric} {100 * development_score(run):.1f}"


def _verdict(files: Iterable[Filled], official: bool) -> str:
    if not official:
        return "Not for the server: the data are not GLUE's. The files show the format only."
    sent = [each.file.name for each in files if each.run]
    if not sent:
        return "Not for the server: placeholders only."
    return f"For the server; scores that count: {', '.join(sent)}."


Examples = Sequence[str | Path]


def write_submissions(
    folders: Iterable[str | Path], examples: Examples, settings: SubmissionSettings, out: str | Path
) -> None:
    """Write a submission for each row of Table 2, and a page that lists their content.

    `out` holds, on each task, the internal distillation with the best mean development score;
    {stem}_{name}.zip beside it those of the standard distillation and of the teacher; {stem}.md the
    page. Of the seeds of an experiment the one with the best development score is sent.

    Args:
        folders: of the runs of Table 1.
        examples: examples.parquet of each task, in folders of the tasks' names.
        settings: of the submissions; with official data, a test split that is not GLUE's complete
            one is left out, with a remark.
        out: path of the .zip.

    Raises:
        UserError: predictions that are not of these examples.
    """
    runs, out = read_run_folders(folders, settings.task_specs), Path(out)
    written = []
    for row in _rows(settings, out):
        names = [candidate.name for candidate in row.candidates]
        filled = [_fill(file, runs, names, examples, settings) for file in FILES]
        write_zip(row.path, {each.file.name: tsv(each.predictions) for each in filled})
        written.append(Submission(row.path.name, row.label, filled))
    out.with_suffix(".md").write_text(page(written, settings), encoding="utf-8")


@dataclass(frozen=True)
class _Row:
    """A row of Table 2: where its submission goes, and the experiments it is chosen from."""

    path: Path
    label: str
    candidates: Sequence[Row]


def _rows(settings: SubmissionSettings, out: Path) -> list[_Row]:
    others = [settings.standard, settings.teacher]
    return [
        _Row(out, "best internal distillation on each task", settings.candidates),
        *(
            _Row(out.with_name(f"{out.stem}_{row.name}{out.suffix}"), row.label, [row])
            for row in others
        ),
    ]


def _fill(
    file: GlueFile,
    runs: Sequence[RunFolder],
    names: Sequence[str],
    examples: Examples,
    settings: SubmissionSettings,
) -> Filled:
    """The predictions of the best run of the best experiment, or placeholders."""
    if file.task not in settings.tasks:
        return Filled(file, placeholder(file), None, "placeholder: task not in the study")
    name = best_experiment(runs, file.task, names)
    run = best_run(runs_of(runs, file.task, name)) if name else None
    if run is None:
        return Filled(file, placeholder(file), None, "placeholder: no run")
    test = run.predictions().get("test")
    if test is None:
        return Filled(file, placeholder(file), None, "placeholder: the data have no test split")
    idx = _idx(file, run, test, examples)
    fault = _not_glues(file, idx) if settings.official else None
    if fault is not None:
        return Filled(file, placeholder(file), None, f"placeholder: {fault}")
    order, remark = _order(idx)
    remarks = [remark, *(FLAG_TEXTS.get(flag, flag) for flag in run.metrics.flags)]
    labels = [file.labels[label] for label in test.predictions[order]]
    return Filled(file, labels, run, "; ".join(filter(None, remarks)))


def _idx(
    file: GlueFile, run: RunFolder, test: SplitPredictions, examples: Examples
) -> npt.NDArray[np.int64]:
    """GLUE's numbers of the examples, in the order of the predictions, `[n]`."""
    frame = read_examples(examples, file.task, "test", columns=["split", "index", "idx"])
    if not np.array_equal(frame["index"], test.indices):
        raise UserError(
            f"{run.folder}: its test predictions are not of the examples of {file.task}; "
            "make the run again with the same data"
        )
    return frame["idx"].to_numpy()


def _order(idx: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], str]:
    """Rows of the predictions in GLUE's order (int64 `[n]`), and what there is to remark."""
    order = np.argsort(idx, kind="stable")
    if np.array_equal(idx[order], np.arange(len(idx))):
        return order, ""
    return np.arange(len(idx)), "rows in the order of the data, whose idx is not 0, 1, 2, ..."


def _not_glues(file: GlueFile, idx: npt.NDArray[np.int64]) -> str | None:
    """Why a test split is not GLUE's own, as with other people's data."""
    if len(idx) != file.rows:
        return (
            f"{len(idx)} test examples where GLUE has {file.rows}; the server takes its complete "
            "test split, without data.limit"
        )
    if not np.array_equal(np.sort(idx), np.arange(file.rows)):
        return f"idx of the test split is not 0 to {file.rows - 1}, as GLUE distributes it"
    return None
