"""The page beside the submissions: which run each file came from, and what the server takes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from internal_kd.reporting.formats import MISSING, Cell, Column, Table, markdown
from internal_kd.reporting.glue_format import GlueFile
from internal_kd.reporting.runs import RunFolder
from internal_kd.reporting.selection import development_score
from internal_kd.reporting.wording import METRIC_TITLES, capitalized
from internal_kd.specs.tables import SubmissionSettings
from internal_kd.tasks import get_task

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
    metric = METRIC_TITLES[get_task(run.task).selection_metric]
    return f"{metric} {100 * development_score(run):.1f}"


def _verdict(files: Iterable[Filled], official: bool) -> str:
    if not official:
        return "Not for the server: the data are not GLUE's. The files show the format only."
    sent = [each.file.name for each in files if each.run]
    if not sent:
        return "Not for the server: placeholders only."
    return f"For the server; scores that count: {', '.join(sent)}."
