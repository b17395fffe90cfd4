import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from internal_kd.errors import UserError
from internal_kd.evaluation.comparison import score_differences
from internal_kd.evaluation.inference import (
    benjamini_hochberg,
    benjamini_yekutieli,
    holm,
    paired_means,
)
from internal_kd.evaluation.metrics import mcc
from internal_kd.evaluation.predictions import SplitPredictions
from internal_kd.reporting.records import columns_of
from internal_kd.reporting.significance import build, write_significance
from internal_kd.reporting.significance_rows import SignificanceRow
from internal_kd.specs.jobs import encode
from internal_kd.specs.reports import Row
from internal_kd.specs.tables import SignificanceSettings
from internal_kd.study.glue import GLUE
from tests.reporting.fake_runs import frame_of, logits_for, noisy_logits, write_fake_run

LABELS = np.arange(300) % 2


def row_of(name, label, head="random", baseline="exp2.0"):
    return Row(name, label, head, baseline)


SETTINGS = SignificanceSettings(
    task_specs=GLUE,
    study="small",
    note="Not the paper's numbers.",
    tasks=("cola", "mrpc"),
    standard=row_of("exp2.0", "Student soft"),
    internal=row_of("exp3.2", "Student soft + kl + cos"),
    candidates=(
        row_of("exp3.0", "Student soft + kl"),
        row_of("exp3.2", "Student soft + kl + cos"),
    ),
    teachers=1,
    confidence=0.95,
    resamples=400,
    seed=0,
)
ACCURACY = {"exp2.0": 0.7, "exp3.0": 0.7, "exp3.2": 0.9}


def noisy(accuracy, seed, n=300):
    return frame_of(LABELS[:n], noisy_logits(LABELS[:n], accuracy, seed))


def study(path, seeds=(0, 1, 2), tests=("mrpc",), skip=(), accuracy=ACCURACY):
    """Runs of which exp3.2 is better than standard KD and exp3.0 is not."""
    return [
        write_fake_run(
            path,
            task,
            name,
            seed=seed,
            validation=noisy(right, 1000 * t + 100 * i + seed),
            test=noisy(right, 500 + 1000 * t + 100 * i + seed, 200) if task in tests else None,
        )
        for t, task in enumerate(("cola", "mrpc"))
        for i, (name, right) in enumerate(accuracy.items())
        for seed in seeds
        if (task, name) not in skip
    ]


def rows(frame, **keys):
    return frame[(frame[list(keys)] == pd.Series(keys)).all(axis=1)].to_dict("records")


def cell(frame, **keys):
    keys = {"task": "cola", "split": "validation", "experiment": "exp3.2"} | keys
    (found,) = rows(frame, **keys)
    return found


def primary(frame, task="cola"):
    return cell(frame, family="primary", task=task)


def answers_of(runs, task, *names):
    """Predictions on the development set by name, [seeds, n]."""
    chosen = {name: [r for r in runs if (r.task, r.experiment) == (task, name)] for name in names}
    return [
        np.stack([run.predictions()["validation"].predictions for run in found])
        for found in chosen.values()
    ]


def written(path, runs, settings=SETTINGS):
    """The Markdown file, without its escapes."""
    write_significance([run.folder for run in runs], settings, path / "out.csv")
    return (path / "out.md").read_text().replace("\\", "")


def test_rows_of_a_comparison(tmp_path):
    frame = build(study(tmp_path), SETTINGS)
    assert list(frame.columns) == columns_of(SignificanceRow)
    one = frame[(frame["task"] == "cola") & (frame["experiment"] == "exp3.0")]
    metrics, examples = ("accuracy", "f1", "f1_weighted", "mcc"), "examples"
    assert [tuple(row) for row in one[["family", "metric", "test", "unit"]].to_numpy()] == [
        *[("other metrics", metric, "two-way", "examples and seeds") for metric in metrics[:3]],
        ("exploratory", "mcc", "two-way", "examples and seeds"),
        ("as in the paper", "accuracy", "t", examples),
        ("as in the paper", "accuracy", "mcnemar", examples),
        *[
            ("as in the paper", metric, test, examples)
            for metric in metrics
            for test in ("permutation", "bootstrap")
        ],
        *[("as in the paper", metric, "t", "seeds") for metric in metrics],
    ]
    assert set(one["seeds"]) == {3}
    assert set(frame.loc[frame["split"] == "test", "task"]) == {"mrpc"}


@pytest.mark.parametrize(("task", "metric"), [("cola", "mcc"), ("mrpc", "f1_weighted")])
def test_the_primary_comparison_is_the_test_over_examples_and_seeds(tmp_path, task, metric):
    runs = study(tmp_path)
    found = primary(build(runs, SETTINGS), task)
    first, second = answers_of(runs, task, "exp3.2", "exp2.0")
    effects = score_differences(LABELS, first, second, 20_000, np.random.default_rng(0))
    expected = effects[metric]
    assert (found["metric"], found["seeds"], found["n"]) == (metric, 3, 300)
    assert found["effect"] == pytest.approx(expected.value, abs=1e-6)
    width = found["high"] - found["low"]
    assert width == pytest.approx(np.diff(expected.interval(0.95))[0], rel=0.08)
    assert found["detectable"] == pytest.approx(expected.detectable(0.95), rel=0.08)
    assert found["effect"] > 0
    assert found["verdict"] == "better"


def test_the_paper_s_tests_have_neither_verdict_nor_adjustment(tmp_path):
    frame = build(study(tmp_path), SETTINGS)
    paper = frame[frame["family"] == "as in the paper"]
    assert len(paper)
    assert (paper["verdict"] == "").all()
    assert paper[["p_holm", "p_bh", "p_by", "detectable"]].isna().all(axis=None)
    assert cell(frame, family="as in the paper", metric="mcc", test="permutation")[
        "p"
    ] == pytest.approx(1 / 401)
    assert cell(frame, metric="accuracy", test="t", unit="examples")["p"] < 1e-3
    assert cell(frame, metric="mcc", test="t", unit="seeds")["n"] == 3


def test_holm_over_tasks_and_the_mean_by_itself(tmp_path):
    frame = build(study(tmp_path, accuracy=ACCURACY | {"exp3.2": 0.76}), SETTINGS)
    found = {row["task"]: row for row in rows(frame, family="primary")}
    assert list(found) == ["cola", "mrpc", "mean"]
    expected = holm([found[task]["p_tail"] for task in ("cola", "mrpc")])
    assert [found[task]["p_holm"] for task in ("cola", "mrpc")] == pytest.approx(expected)
    mean = found["mean"]
    assert mean["p_holm"] == mean["p"]
    both = found["cola"]["effect"] + found["mrpc"]["effect"]
    assert mean["effect"] == pytest.approx(both / 2, abs=1e-6)
    assert mean["n"] == 600


@pytest.mark.parametrize("confidence", [0.95, 0.99])
def test_p_belongs_to_the_interval_of_the_confidence(tmp_path, confidence):
    runs = study(tmp_path)
    frame = build(runs, replace(SETTINGS, confidence=confidence))
    found = cell(frame, family="other metrics", metric="accuracy")
    first, second = answers_of(runs, "cola", "exp3.2", "exp2.0")
    effect = paired_means((first == LABELS).astype(float), (second == LABELS).astype(float))
    assert found["p"] == pytest.approx(effect.p(level=1 - confidence))
    assert (found["low"], found["high"]) == pytest.approx(effect.interval(confidence), abs=1e-6)
    assert found["p_tail"] == pytest.approx(effect.tail_p)


def test_one_task_has_no_mean(tmp_path):
    frame = build(study(tmp_path), replace(SETTINGS, tasks=("cola",)))
    assert [row["task"] for row in rows(frame, family="primary")] == ["cola"]


def test_false_discoveries_over_candidates_and_tasks_of_a_split(tmp_path):
    frame = build(study(tmp_path), SETTINGS)
    for split, size in (("validation", 4), ("test", 2)):
        family = rows(frame, family="exploratory", split=split)
        assert len(family) == size
        p = [row["p_tail"] for row in family]
        assert [row["p_bh"] for row in family] == pytest.approx(benjamini_hochberg(p))
        assert [row["p_by"] for row in family] == pytest.approx(benjamini_yekutieli(p))
        assert all(row["verdict"] == "" for row in family)


def test_a_worse_student_has_a_negative_effect(tmp_path):
    frame = build(study(tmp_path, accuracy=ACCURACY | {"exp3.2": 0.5}), SETTINGS)
    found = primary(frame)
    assert found["effect"] < 0
    assert found["high"] < 0
    assert found["verdict"] == "worse"


def test_equal_students_are_inconclusive(tmp_path):
    found = primary(build(study(tmp_path, accuracy=ACCURACY | {"exp3.2": 0.7}), SETTINGS))
    assert found["verdict"] == "inconclusive"
    assert found["low"] < 0 < found["high"]


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_one_or_two_seeds_give_hints(tmp_path, seeds):
    runs = study(tmp_path, seeds=seeds)
    found = primary(build(runs, SETTINGS))
    assert found["verdict"] == "hint"
    text = written(tmp_path, runs)
    number = {1: "One seed", 2: "Two seeds"}[len(seeds)]
    assert text.count(f"{number}: every difference is a hint") >= 2
    assert not any("**" in line for line in text.splitlines() if line.startswith("|"))


def test_one_seed_has_examples_only(tmp_path):
    frame = build(study(tmp_path, seeds=(0,)), SETTINGS)
    found = primary(frame)
    assert (found["unit"], found["remark"]) == (
        "examples",
        "one seed: examples are the only source of chance",
    )
    assert np.isnan(found["detectable"])
    over_seeds = cell(frame, metric="mcc", test="t", unit="seeds")
    assert over_seeds["remark"] == "no data: one seed"
    assert np.isnan(over_seeds["p"])


def test_a_candidate_is_compared_with_the_standard_of_its_own_start(tmp_path):
    accuracy = ACCURACY | {"exp2.0t": 0.88}
    other = row_of("exp3.2", "Student soft + kl + cos", "teacher", "exp2.0t")
    settings = replace(SETTINGS, candidates=(SETTINGS.candidates[0], other))
    runs = study(tmp_path, accuracy=accuracy)
    found = cell(build(runs, settings), family="exploratory")
    first, second = answers_of(runs, "cola", "exp3.2", "exp2.0t")
    score = scores_of(first) - scores_of(second)
    assert found["baseline"] == "exp2.0t"
    assert found["same_start"]
    assert found["effect"] == pytest.approx(score, abs=1e-6)


def scores_of(predictions):
    return np.mean([mcc(LABELS, seed) for seed in predictions])


def test_without_a_baseline_it_is_across_starts_and_a_hint(tmp_path):
    other = row_of("exp3.2", "Student soft + kl + cos", "teacher", None)
    settings = replace(SETTINGS, internal=other, candidates=(SETTINGS.candidates[0], other))
    runs = study(tmp_path)
    frame = build(runs, settings)
    found = cell(frame, family="exploratory")
    assert (found["baseline"], found["same_start"]) == ("exp2.0", False)
    assert primary(frame)["verdict"] == "hint"
    text = written(tmp_path, runs, settings)
    assert "| Exp3.2 | Exp2.0<sup>a</sup> |" in text
    assert "a: across starts, a hint only" in text
    assert "Exp3.2 and Exp2.0 differ in more than their losses" in text
    assert not any("**" in line for line in text.splitlines() if line.startswith("|"))


def test_missing_runs_have_a_remark(tmp_path):
    runs = study(tmp_path, skip=[("cola", "exp3.2"), ("mrpc", "exp2.0")])
    frame = build(runs, SETTINGS)
    for family in ("primary", "exploratory"):
        found = cell(frame, family=family)
        assert found["remark"] == "no data: exp3.2 and exp2.0 have no seed in common"
        assert (found["n"], found["verdict"]) == (0, "")
    assert "Exp3.2 on CoLA: no data" in written(tmp_path, runs)


@pytest.mark.parametrize("candidates", [SETTINGS.candidates, ()], ids=["no runs", "none"])
def test_absence_of_comparisons_is_reported(tmp_path, candidates):
    runs = [run for run in study(tmp_path) if run.experiment == "exp2.0"]
    text = written(tmp_path, runs, replace(SETTINGS, candidates=candidates))
    expected = "Nothing to compare: no internal KD has a seed in common with its standard KD."
    assert expected in text
    assert "hint;" not in text
    assert "nan" not in text.lower()
    assert "Nothing to compare" in (tmp_path / "out.tex").read_text()


def test_only_common_seeds_are_compared(tmp_path):
    runs = [run for run in study(tmp_path) if (run.experiment, run.seed) != ("exp3.2", 0)]
    assert primary(build(runs, SETTINGS))["seeds"] == 2


def test_numbers_do_not_depend_on_the_other_comparisons(tmp_path):
    runs = study(tmp_path)
    alone = replace(SETTINGS, candidates=SETTINGS.candidates[1:], tasks=("cola",))
    for test in ("permutation", "bootstrap", "two-way"):
        one, other = (
            rows(build(runs, settings), task="cola", experiment="exp3.2", metric="mcc", test=test)
            for settings in (SETTINGS, alone)
        )
        for keys in ("p", "low", "high"):
            np.testing.assert_equal([r[keys] for r in one], [r[keys] for r in other])


def test_students_of_one_class_and_the_same_answers(tmp_path):
    same = frame_of(LABELS, logits_for([1] * 300))
    runs = [
        write_fake_run(tmp_path, "cola", name, seed=seed, validation=same)
        for name in ("exp2.0", "exp3.2")
        for seed in (0, 1, 2)
    ]
    frame = build(runs, SETTINGS)
    found = primary(frame)
    assert (found["effect"], found["p"], found["verdict"]) == (0, 1, "inconclusive")
    assert np.isnan(found["detectable"])
    paper = cell(frame, metric="mcc", test="permutation")
    assert (paper["effect"], paper["p"]) == (0, 1)


def test_seeds_that_give_the_same_difference_have_no_p(tmp_path):
    """Nothing varies: each student always answers one class, and another one."""
    runs = [
        write_fake_run(
            tmp_path,
            "rte",
            name,
            seed=seed,
            validation=frame_of(np.ones(9, int), logits_for([answer] * 9)),
        )
        for name, answer in (("exp2.0", 0), ("exp3.2", 1))
        for seed in (0, 1, 2)
    ]
    found = primary(build(runs, replace(SETTINGS, tasks=("rte",))), "rte")
    assert found["effect"] == 1
    assert np.isnan(found["p"])
    assert found["verdict"] == ""
    assert "not defined" in found["remark"]


def test_files(tmp_path):
    text = written(tmp_path, study(tmp_path))
    assert text.count("**Significance.") == 5  # primary; all and as in the paper, twice
    lines = text.splitlines()
    start = lines.index(
        "| Task | Metric | n | Seeds | difference [95 %] | p | p (Holm) | Detectable | Verdict |"
    )
    assert lines[start + 2].startswith("| CoLA | MCC | 300 | 3 | **+")
    assert lines[start + 2].endswith(" | **better** |")
    assert lines[start + 4].startswith("| Mean of tasks | each task's | 600 | 3 | **+")
    assert "over the whole table (4 tested)" in text
    assert "none is below 0.0025" in text  # 1 / 401
    assert text.count("could have detected (p below 0.05 with a probability of 80 %, before") == 3
    assert "conditional on the one teacher of each task" in text
    assert "every difference is a hint" not in text
    assert text.count("Not the paper's numbers.") == 5
    latex = (tmp_path / "out.tex").read_text()
    for label in ("", "-all", "-all-test", "-paper", "-paper-test"):
        assert f"\\label{{tab:significance{label}}}" in latex


def test_only_primary_verdicts_are_bold(tmp_path):
    """Exploratory p-values are as small here, and those as in the paper smaller."""
    lines = written(tmp_path, study(tmp_path)).splitlines()
    bold = [line for line in lines if line.startswith("|") and "**" in line]
    assert len(bold) == 3
    assert all("better" in line for line in bold)


def test_several_teachers_generalise(tmp_path):
    text = written(tmp_path, study(tmp_path), replace(SETTINGS, teachers=3))
    assert "results generalise to new pairs of teacher and student" in text
    assert "conditional on" not in text


def test_different_examples_are_refused(tmp_path):
    write_fake_run(tmp_path, "cola", "exp2.0", validation=noisy(0.7, 0))
    write_fake_run(tmp_path, "cola", "exp3.2", validation=noisy(0.7, 1, n=200))
    folders = sorted(tmp_path.glob("runs/*/*/*/*/*"))
    with pytest.raises(UserError, match="development examples are not those"):
        write_significance(folders, SETTINGS, tmp_path / "out.csv")


def test_different_test_examples_are_refused(tmp_path):
    for seed, (name, first) in enumerate([("exp2.0", 0), ("exp3.2", 1)]):
        logits = noisy_logits(LABELS, 0.8, seed)
        test = SplitPredictions(np.arange(300) + first, LABELS, logits)
        write_fake_run(tmp_path, "cola", name, validation=noisy(0.7, seed), test=test)
    folders = sorted(tmp_path.glob("runs/*/*/*/*/*"))
    with pytest.raises(UserError, match="test examples are not those"):
        write_significance(folders, SETTINGS, tmp_path / "out.csv")


FUNCTION = "significance:write_significance"


def test_the_command(tmp_path):
    folders = [run.folder for run in study(tmp_path, seeds=(0,))]
    options = ["--settings", json.dumps(encode(SETTINGS)), "--runs", *folders]
    options += ["--out", tmp_path / "out.csv"]
    subprocess.run(
        [sys.executable, "-m", "internal_kd.jobs", "product", "--function", FUNCTION, *options],
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert list(pd.read_csv(tmp_path / "out.csv").columns) == columns_of(SignificanceRow)
