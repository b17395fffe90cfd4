"""Table 3: where students are right and wrong on examples that the teacher gets right or wrong."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from internal_kd.evaluation.inference import Effect, Floats, paired_means
from internal_kd.evaluation.predictions import SplitPredictions
from internal_kd.reporting import formats
from internal_kd.reporting.development import development_predictions
from internal_kd.reporting.formats import write_csv
from internal_kd.reporting.paper_tables import paper_table3
from internal_kd.reporting.records import to_frame
from internal_kd.reporting.runs import RunFolder, read_run_folders
from internal_kd.reporting.selection import number_of_teachers, runs_of, runs_of_rows, teacher_of
from internal_kd.reporting.table3_layout import COUNTS, MEAN, Counts, Table3Row, layout
from internal_kd.reporting.wording import flag_sentences, teachers_sentences
from internal_kd.specs.reports import Row
from internal_kd.specs.tables import Table3Settings

AGREEMENT = ["agreement", "agreement_low", "agreement_high", "detectable"]
PAPER = [f"paper_{name}" for name in COUNTS]
STUDENTS = ("standard", "internal")


def write_table3(folders: Iterable[str | Path], settings: Table3Settings, out: str | Path) -> None:
    """Write Table 3 as `out` (tidy .csv) and, beside it, as .md and .tex.

    Args:
        folders: of the runs of the teachers and of both students.
        settings: of the table.
        out: path of the .csv.

    Raises:
        UserError: a folder is none of a run, or runs are of different development examples.
    """
    runs = read_run_folders(folders, settings.task_specs)
    frame = build(runs, settings)
    remarks = teachers_sentences(number_of_teachers(runs, settings.teacher, settings.tasks))
    remarks += flag_sentences(runs_of_rows(runs, settings.roles.values(), settings.tasks))
    table = layout(frame, settings, remarks)
    out = Path(out)
    write_csv(frame, out)
    out.with_suffix(".md").write_text(formats.markdown(table), encoding="utf-8")
    out.with_suffix(".tex").write_text(
        formats.booktabs(table, label="tab:table3"), encoding="utf-8"
    )


def build(runs: Sequence[RunFolder], settings: Table3Settings) -> pd.DataFrame:
    """The tidy table: a row per task, student and seed, and one per student for its mean.

    See `counts` for the numbers. `n` is the number of development examples, `agreement` the share
    of them (0 to 1) for which the student predicts its teacher's label. Its mean over `seeds` has
    an interval over examples and seeds. The last row of a task is the difference in agreement
    between both students, with its interval, and from two seeds on the smallest difference that
    could have been detected. The columns paper_* are empty where the paper has no number or none is
    requested. Students without runs or teachers have no row.
    """
    rows = [row for task in settings.tasks for row in _task(runs, task, settings)]
    frame = to_frame(rows, Table3Row).astype(dict.fromkeys(PAPER, "Int64"))
    return frame.round(dict.fromkeys([*COUNTS, *AGREEMENT], 6))


def counts(teacher: SplitPredictions, student: SplitPredictions) -> Counts:
    """Numbers of examples by teacher and student being right or wrong, and their agreement."""
    right = teacher.predictions == teacher.labels
    student_right = student.predictions == student.labels
    return Counts(
        n=len(right),
        teacher_right=int(right.sum()),
        teacher_wrong=int((~right).sum()),
        right_when_right=int((student_right & right).sum()),
        wrong_when_right=int((~student_right & right).sum()),
        right_when_wrong=int((student_right & ~right).sum()),
        wrong_when_wrong=int((~student_right & ~right).sum()),
        agreement=float((teacher.predictions == student.predictions).mean()),
    )


def _task(runs: Sequence[RunFolder], task: str, settings: Table3Settings) -> Iterator[Table3Row]:
    """The rows of a task."""
    teachers = runs_of(runs, task, settings.teacher.name)
    agreements = {}
    for role in STUDENTS:
        pairs = _pairs(runs, teachers, task, settings.roles[role].name)
        if pairs:
            agreements[role] = {run.seed: _agreement(*frames) for run, *frames in pairs}
            yield from _student(task, settings.roles[role], pairs, agreements[role], settings)
    if len(agreements) == len(STUDENTS):
        yield from _difference(task, agreements, settings)


def _student(
    task: str,
    student: Row,
    pairs: Sequence[tuple[RunFolder, SplitPredictions, SplitPredictions]],
    agreements: Mapping[int, Floats],
    settings: Table3Settings,
) -> Iterator[Table3Row]:
    """A row for each seed of a student, and one for the mean over them."""
    paper = _paper().get((student.name, task), {}) if settings.with_paper else {}
    fixed = Table3Row(
        task=task,
        experiment=student.name,
        label=student.label,
        head=student.head,
        seed=MEAN,
        seeds=len(pairs),
        **paper,
    )
    found = [counts(teacher, frame) for _, teacher, frame in pairs]
    for (run, *_), numbers in zip(pairs, found, strict=True):
        yield replace(fixed, seed=str(run.seed), seeds=1, **vars(numbers))
    same = np.stack(list(agreements.values()))
    effect = paired_means(same, np.zeros_like(same))
    low, high = np.clip(effect.interval(settings.confidence), 0, 1)
    mean = replace(fixed, **vars(_mean(found)))
    yield replace(mean, agreement_low=float(low), agreement_high=float(high))


def _mean(found: Sequence[Counts]) -> Counts:
    rows = [vars(numbers) for numbers in found]
    return Counts(**{name: float(np.mean([row[name] for row in rows])) for name in rows[0]})


def _difference(
    task: str, agreements: Mapping[str, Mapping[int, Floats]], settings: Table3Settings
) -> Iterator[Table3Row]:
    """The agreement of internal minus that of standard KD, over the seeds that both have."""
    standard, internal = (agreements[role] for role in STUDENTS)
    seeds = sorted(set(standard) & set(internal))
    if not seeds:
        return
    first, second = (np.stack([side[seed] for seed in seeds]) for side in (internal, standard))
    effect = paired_means(first, second)
    low, high = effect.interval(settings.confidence)
    yield Table3Row(
        task,
        f"{settings.internal.name} - {settings.standard.name}",
        seed=MEAN,
        seeds=len(seeds),
        n=effect.n,
        agreement=effect.value,
        agreement_low=low,
        agreement_high=high,
        detectable=_detectable(effect, settings.confidence),
    )


def _detectable(effect: Effect, confidence: float) -> float:
    return effect.detectable(confidence) if effect.seeds > 1 else math.nan


def _agreement(teacher: SplitPredictions, student: SplitPredictions) -> Floats:
    """1.0 where both predict the same label, else 0.0, [n]."""
    return (teacher.predictions == student.predictions).astype(float)


def _pairs(
    runs: Sequence[RunFolder], teachers: Sequence[RunFolder], task: str, student: str
) -> list[tuple[RunFolder, SplitPredictions, SplitPredictions]]:
    """Each run of a student with its teacher's predictions and its own, if it has a teacher."""
    taught = [(run, teacher_of(teachers, run)) for run in runs_of(runs, task, student)]
    known = [(run, teacher) for run, teacher in taught if teacher is not None]
    frames = development_predictions([each for pair in known for each in reversed(pair)])
    return [(run, frames[2 * i], frames[2 * i + 1]) for i, (run, _) in enumerate(known)]


def _paper() -> dict[tuple[str, str], dict[str, int]]:
    """The paper's numbers by experiment and task, under the names of their columns."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for row in paper_table3().to_dict("records"):
        key = (row["experiment"], row["task"])
        found.setdefault(key, {})[f"paper_{row['count']}"] = row["value"]
    return found
