"""Submissions to the GLUE server, which alone has the labels behind Table 2."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from internal_kd.errors import UserError
from internal_kd.evaluation.predictions import SplitPredictions
from internal_kd.reporting.examples import read_examples
from internal_kd.reporting.glue_format import FILES, GlueFile, placeholder, tsv, write_zip
from internal_kd.reporting.runs import RunFolder, read_run_folders
from internal_kd.reporting.selection import best_experiment, best_run, runs_of
from internal_kd.reporting.submission_layout import Filled, Submission, page
from internal_kd.reporting.wording import FLAG_TEXTS
from internal_kd.specs.reports import Row
from internal_kd.specs.tables import SubmissionSettings

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
    runs, out = read_run_folders(folders), Path(out)
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
