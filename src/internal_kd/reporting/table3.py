"""Table 3: where students are right and wrong on examples that the teacher gets right or wrong."""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Any

import pandas as pd

from internal_kd.evaluation.predictions import SplitPredictions
from internal_kd.reporting import formats
from internal_kd.reporting.development import development_predictions
from internal_kd.reporting.paper_tables import paper_table3
from internal_kd.reporting.runs import RunFolder, read_run_folders
from internal_kd.reporting.selection import runs_of, runs_of_roles, teacher_of
from internal_kd.reporting.table3_layout import layout
from internal_kd.reporting.wording import flag_sentences

COUNTS = ["teacher_right", "teacher_wrong", "right_when_right", "wrong_when_right"]
COUNTS += ["right_when_wrong", "wrong_when_wrong"]
AGREEMENT = ["agreement", "agreement_low", "agreement_high"]
PAPER = [f"paper_{name}" for name in COUNTS]
COLUMNS = ["task", "experiment", "label", "seed", "n", *COUNTS, *AGREEMENT]
COLUMNS += PAPER


def write_table3(
    folders: Iterable[str | Path], settings: Mapping[str, Any], out: str | Path
) -> None:
    """Write Table 3 as `out` (tidy .csv) and, beside it, as .md and .tex.

    Args:
        folders: of the runs of the teacher and of both students.
        settings: study (name), note (a last line below the table), tasks, teacher, standard and
            internal (name, label), with_paper (put the paper's numbers below ours) and confidence
            (of the intervals, such as 0.95).
        out: path of the .csv.

    Raises:
        UserError: a folder is none of a run, or runs are of different development examples.
    """
    runs = read_run_folders(folders)
    frame = build(runs, settings)
    means = mean_over_seeds(frame, settings["confidence"])
    table = layout(frame, means, settings, flag_sentences(runs_of_roles(runs, settings)))
    out = Path(out)
    frame.to_csv(out, index=False)
    out.with_suffix(".md").write_text(formats.markdown(table))
    out.with_suffix(".tex").write_text(formats.booktabs(table, label="tab:table3"))


def build(runs: Sequence[RunFolder], settings: Mapping[str, Any]) -> pd.DataFrame:
    """The tidy table: one row per task, student and seed; see `counts` for the numbers.

    `n` is the number of development examples, `agreement` the share of them (0 to 1) for which the
    student predicts the teacher's label, with its Wilson interval. The columns paper_* are empty
    where the paper has no number or none is wanted. Students and teachers without runs have no row.
    """
    paper = _paper() if settings["with_paper"] else {}
    rows = [
        {
            "task": task,
            "experiment": student["name"],
            "label": student["label"],
            "seed": run.seed,
            **counts(teacher, frame),
            **paper.get((student["name"], task), {}),
        }
        for task in settings["tasks"]
        for student in (settings["standard"], settings["internal"])
        for run, teacher, frame in _pairs(runs, task, settings["teacher"]["name"], student["name"])
    ]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    frame = frame.assign(**_bounds(frame, settings["confidence"]))
    return frame.astype(dict.fromkeys(PAPER, "Int64")).round(dict.fromkeys(AGREEMENT, 6))


def counts(teacher: SplitPredictions, student: SplitPredictions) -> dict[str, float]:
    """Numbers of examples by teacher and student being right or wrong, and their agreement.

    The four numbers `{right|wrong}_when_{right|wrong}` (student when teacher) sum to n.
    """
    right = teacher.predictions == teacher.labels
    student_right = student.predictions == student.labels
    return {
        "n": len(right),
        "teacher_right": int(right.sum()),
        "teacher_wrong": int((~right).sum()),
        "right_when_right": int((student_right & right).sum()),
        "wrong_when_right": int((~student_right & right).sum()),
        "right_when_wrong": int((student_right & ~right).sum()),
        "wrong_when_wrong": int((~student_right & ~right).sum()),
        "agreement": float((teacher.predictions == student.predictions).mean()),
    }


def wilson(share: float, n: int, confidence: float) -> tuple[float, float]:
    """Wilson's score interval of a share (0 to 1) of n examples.

    Args:
        share: number of successes divided by n, or a mean of such shares.
        n: number of examples.
        confidence: such as 0.95.
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def mean_over_seeds(frame: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """One row per task and student: means over its seeds, the number of `seeds`, and the interval.

    The interval is Wilson's for the mean agreement on n examples: all seeds answer the same
    examples, so more seeds do not make it narrower. It says how far the agreement depends on
    which examples are in the development set, not how far it differs between seeds.
    """
    means = {name: (name, "mean") for name in ["n", *COUNTS, "agreement"]}
    papers = {name: (name, "first") for name in PAPER}
    groups = frame.groupby(["task", "experiment"], sort=False)
    found = groups.agg(seeds=("seed", "count"), **means, **papers).reset_index()
    return found.assign(**_bounds(found, confidence)).astype(dict.fromkeys(PAPER, float))


def _bounds(frame: pd.DataFrame, confidence: float) -> dict[str, list[float]]:
    pairs = zip(frame["agreement"], frame["n"], strict=True)
    bounds = [wilson(share, int(n), confidence) for share, n in pairs]
    return {
        "agreement_low": [low for low, _ in bounds],
        "agreement_high": [high for _, high in bounds],
    }


def _pairs(
    runs: Sequence[RunFolder], task: str, teacher: str, student: str
) -> list[tuple[RunFolder, SplitPredictions, SplitPredictions]]:
    """Each run of a student with the teacher's predictions and its own; none without a teacher."""
    teacher_run = teacher_of(runs, task, teacher)
    if teacher_run is None:
        return []
    students = runs_of(runs, task, student)
    found = development_predictions([teacher_run, *students])
    return [(run, found[0], own) for run, own in zip(students, found[1:], strict=True)]


def _paper() -> dict[tuple[str, str], dict[str, int]]:
    """The paper's numbers by experiment and task, under the names of their columns."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for row in paper_table3().to_dict("records"):
        key = (row["experiment"], row["task"])
        found.setdefault(key, {})[f"paper_{row['count']}"] = row["value"]
    return found
