"""Tests of every internal KD against standard KD, as a tidy table and as a compact one."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd

from internal_kd.evaluation.predictions import SplitPredictions
from internal_kd.evaluation.significance import (
    Answers,
    TestResult,
    bootstrap_test,
    holm,
    mcnemar,
    paired_t_test,
    permutation_test,
)
from internal_kd.reporting import formats
from internal_kd.reporting.runs import RunFolder, read_run_folders
from internal_kd.reporting.selection import runs_of
from internal_kd.reporting.significance_layout import layouts
from internal_kd.reporting.splits import labelled_predictions
from internal_kd.tasks import METRIC_NAMES

SPLITS = ("validation", "test")
FAMILY = ["split", "metric", "test", "unit"]
COLUMNS = ["task", "split", "experiment", "baseline", "metric", "test", "unit", "seeds"]
COLUMNS += ["effect", "low", "high", "p", "p_holm", "n", "remark"]
NOT_DEFINED = "the test is not defined: all differences are equal"
ONE_SEED = "no data: one seed"
Row = dict[str, Any]


def write_significance(
    folders: Iterable[str | Path], settings: Mapping[str, Any], out: str | Path
) -> None:
    """Write the tests as `out` (tidy .csv) and, beside it, a compact table as .md and .tex.

    Args:
        folders: of the runs of standard KD and of every internal KD.
        settings: study, note, tasks, standard (name, label), candidates (names, labels),
            confidence (of intervals), resamples, seed (of the resampling).
        out: path of the .csv.

    Raises:
        UserError: a folder is none of a run, or runs are of different examples.
    """
    frame = build(read_run_folders(folders), settings)
    tables = layouts(frame, settings)
    out = Path(out)
    frame.to_csv(out, index=False)
    out.with_suffix(".md").write_text("\n".join(map(formats.markdown, tables.values())))
    texts = [formats.booktabs(table, label=label) for label, table in tables.items()]
    out.with_suffix(".tex").write_text("\n".join(texts))


def build(runs: Sequence[RunFolder], settings: Mapping[str, Any]) -> pd.DataFrame:
    """The tidy table: one row per task, split, internal KD, metric and test.

    `effect` (scores 0 to 1, MCC -1 to 1) is internal KD minus `baseline`, with `low` and `high` as
    the ends of its interval where the test has one. `unit` is what the test takes as independent,
    `n` how many of them there are, `seeds` the number of seeds both have. `p_holm` is adjusted over
    all candidates and tasks of the same split, metric and test. What could not be tested has a row
    with a remark.
    """
    rows = [
        row
        for task in settings["tasks"]
        for candidate in settings["candidates"]
        for row in _compare(runs, task, candidate["name"], settings)
    ]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    if len(frame):
        for _, family in frame.groupby(FAMILY):
            frame.loc[family.index, "p_holm"] = holm(family["p"].tolist())
    counts = {"seeds": "Int64", "n": "Int64"}
    return frame.astype(counts).round({"effect": 6, "low": 6, "high": 6})


def _compare(
    runs: Sequence[RunFolder], task: str, name: str, settings: Mapping[str, Any]
) -> Iterator[Row]:
    """All rows of an internal KD on a task."""
    baseline = settings["standard"]["name"]
    first, second = paired_by_seed(runs_of(runs, task, name), runs_of(runs, task, baseline))
    for split in SPLITS:
        same = {"task": task, "split": split, "experiment": name, "baseline": baseline}
        same |= {"seeds": len(first)}
        frames = labelled_predictions([*first, *second], split) if first else None
        if frames is not None:
            own = crc32(f"{task} {split} {name}".encode())
            rng = np.random.default_rng([settings["seed"], own])
            yield from (same | row for row in _tests(frames, settings, rng))
        elif split == "validation":
            yield same | _missing(name, baseline)


def paired_by_seed(
    first: Sequence[RunFolder], second: Sequence[RunFolder]
) -> tuple[list[RunFolder], list[RunFolder]]:
    """The runs of both whose seeds the other has too, ascending by seed."""
    seeds = sorted({run.seed for run in first} & {run.seed for run in second})
    by_seed = [{run.seed: run for run in side} for side in (first, second)]
    return [by_seed[0][seed] for seed in seeds], [by_seed[1][seed] for seed in seeds]


def _missing(name: str, baseline: str) -> Row:
    row = {"metric": "accuracy", "test": "t", "unit": "examples", "n": 0}
    empty = dict.fromkeys(["effect", "low", "high", "p"], math.nan)
    return row | empty | {"remark": f"no data: {name} and {baseline} have no seed in common"}


def _tests(
    frames: Sequence[SplitPredictions], settings: Mapping[str, Any], rng: np.random.Generator
) -> Iterator[Row]:
    """The rows of all tests, of the frames of one model before those of the other."""
    half = len(frames) // 2
    predictions = np.stack([frame.predictions for frame in frames])
    answers = Answers(frames[0].labels, predictions[:half], predictions[half:])
    first, second = answers.correctness()
    confidence, resamples = settings["confidence"], settings["resamples"]
    yield _row("accuracy", "t", "examples", paired_t_test(first, second, confidence))
    yield _row("accuracy", "mcnemar", "examples", mcnemar(first, second))
    permuted = permutation_test(answers, resamples, rng)
    drawn = bootstrap_test(answers, resamples, confidence, rng)
    for metric in METRIC_NAMES:
        yield _row(metric, "permutation", "examples", permuted[metric])
        yield _row(metric, "bootstrap", "examples", drawn[metric])
    yield from _seed_tests(answers, confidence)


def _seed_tests(answers: Answers, confidence: float) -> Iterator[Row]:
    """t-tests over the scores of seeds."""
    first, second = answers.scores()
    for metric in METRIC_NAMES:
        result = paired_t_test(first[metric], second[metric], confidence)
        yield _row(metric, "t", "seeds", result, ONE_SEED if result.n == 1 else "")


def _row(metric: str, test: str, unit: str, result: TestResult, remark: str = "") -> Row:
    if math.isnan(result.p) and not remark:
        remark = NOT_DEFINED
    found = {"effect": result.effect, "low": result.low, "high": result.high}
    row = {"metric": metric, "test": test, "unit": unit, "remark": remark}
    p = math.nan if remark else result.p
    return row | found | {"p": p, "n": result.n}
