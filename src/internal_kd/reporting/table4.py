"""Table 4: development examples on which the teacher is right and one student alone is wrong."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt
import pandas as pd

from internal_kd.errors import UserError
from internal_kd.evaluation.predictions import SplitPredictions
from internal_kd.reporting import formats
from internal_kd.reporting.development import development_predictions
from internal_kd.reporting.examples import read_examples
from internal_kd.reporting.formats import write_csv
from internal_kd.reporting.records import columns_of
from internal_kd.reporting.runs import RunFolder, read_run_folders, select
from internal_kd.reporting.selection import runs_of, teacher_of
from internal_kd.reporting.table4_layout import Case, layout, wrapped
from internal_kd.reporting.wording import flag_sentences
from internal_kd.specs.tables import Table4Settings

ROLES = ("teacher", "standard", "internal")
WRONG = ("internal", "standard")
COLUMNS = columns_of(Case)
POSITIVE = 1

Files = Sequence[str | Path]


def write_table4(
    folders: Iterable[str | Path], examples: Files, settings: Table4Settings, out: str | Path
) -> None:
    """Write Table 4 as `out` (tidy .csv) and, beside it, as .md and .tex.

    Args:
        folders: of the runs of the teacher and of both students.
        examples: examples.parquet of each task, in folders of the tasks' names.
        settings: of the table.
        out: path of the .csv.

    Raises:
        UserError: a folder is none of a run, or runs and texts are of different examples.
    """
    runs = read_run_folders(folders, settings.task_specs)
    found = {task: cases(runs, task, examples, settings) for task in settings.tasks}
    frame = draw(found, settings.examples, settings.seed)
    used = [run for task in settings.tasks for run in _chosen(runs, task, settings)]
    table = layout(frame, found, settings, flag_sentences(used))
    out = Path(out)
    write_csv(frame, out)
    out.with_suffix(".md").write_text(formats.markdown(table), encoding="utf-8")
    out.with_suffix(".tex").write_text(
        wrapped(formats.booktabs(table, label="tab:table4")), encoding="utf-8"
    )


def cases(
    runs: Sequence[RunFolder], task: str, examples: Files, settings: Table4Settings
) -> pd.DataFrame | None:
    """All examples of a task that can stand in the table; None where a run is missing.

    One row per development example on which the teacher is right and exactly one student is wrong,
    in the columns of the .csv: `wrong` is that student (internal or standard), `found` how many it
    has on the task, `label`, predictions and the probability of class 1 of all three models.
    """
    chosen = _chosen(runs, task, settings)
    if len(chosen) < len(ROLES):
        return None
    predicted = dict(zip(ROLES, development_predictions(chosen), strict=True))
    frame = _texts(examples, chosen[0], predicted["teacher"])
    frame = frame.assign(
        **{f"{role}_prediction": each.predictions for role, each in predicted.items()},
        **{
            f"{role}_probability": each.probabilities[:, POSITIVE]
            for role, each in predicted.items()
        },
    )
    parts = [_wrong_only(frame, student) for student in WRONG]
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def draw(found: Mapping[str, pd.DataFrame | None], examples: int, seed: int) -> pd.DataFrame:
    """At most `examples` cases per task and wrong student, ascending by index.

    The draw of a task depends on the seed, the task and the student, not on what else is drawn.
    """
    parts = [
        frame.loc[
            _drawn(frame.index[frame["wrong"] == student], examples, f"{seed} {task} {student}")
        ]
        for task, frame in found.items()
        if frame is not None
        for student in WRONG
    ]
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=COLUMNS)


def _drawn(rows: Iterable[int], examples: int, key: str) -> list[int]:
    ordered = sorted(rows)
    return sorted(Random(key).sample(ordered, min(examples, len(ordered))))


def _chosen(runs: Sequence[RunFolder], task: str, settings: Table4Settings) -> list[RunFolder]:
    """The runs of the students with this seed, after that of their teacher, as far as they
    exist.
    """
    teachers = runs_of(runs, task, settings.teacher.name)
    seeded = select(runs, seed=settings.student_seed)
    names = [settings.standard.name, settings.internal.name]
    students = [run for name in names for run in runs_of(seeded, task, name)]
    teacher = teacher_of(teachers, students[0]) if students else None
    return [*([teacher] if teacher else []), *students]


def _texts(files: Files, run: RunFolder, predictions: SplitPredictions) -> pd.DataFrame:
    """Task, index, idx, texts and label of the development examples, in the predictions' order."""
    frame = read_examples(files, run.task, "validation")
    same = np.array_equal(frame["index"], predictions.indices)
    if not same or not np.array_equal(frame["label"], predictions.labels):
        raise UserError(
            f"{run.folder}: its development predictions are not of the examples of {run.task}; "
            "make the run again with the same data"
        )
    columns = run.spec.text_columns
    second = frame[columns[1]] if len(columns) > 1 else ""
    return frame.assign(task=run.task, text_1=frame[columns[0]], text_2=second)


def _wrong_only(frame: pd.DataFrame, student: str) -> pd.DataFrame:
    """The rows on which the teacher is right and this student alone is wrong."""
    wrong = {role: _is_wrong(frame, role) for role in ROLES}
    (other,) = set(WRONG) - {student}
    rows = frame[wrong[student] & ~wrong[other] & ~wrong["teacher"]]
    return rows.assign(wrong=student, found=len(rows))


def _is_wrong(frame: pd.DataFrame, role: str) -> npt.NDArray[np.bool_]:
    return frame[f"{role}_prediction"].to_numpy() != frame["label"].to_numpy()
