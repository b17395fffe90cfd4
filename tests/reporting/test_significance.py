import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from internal_kd.errors import UserError
from internal_kd.evaluation.predictions import SplitPredictions
from internal_kd.reporting.significance import COLUMNS, build, write_significance
from tests.reporting.fake_runs import frame_of, logits_for, noisy_logits, write_fake_run

LABELS = np.arange(300) % 2
SETTINGS = {
    "study": "small",
    "note": "Not the paper's numbers.",
    "tasks": ["cola", "mrpc"],
    "standard": {"name": "exp2.0", "label": "Student soft"},
    "candidates": [
        {"name": "exp3.0", "label": "Student soft + kl"},
        {"name": "exp3.2", "label": "Student soft + kl + cos"},
    ],
    "confidence": 0.95,
    "resamples": 400,
    "seed": 0,
}
ACCURACY = {"exp2.0": 0.7, "exp3.0": 0.7, "exp3.2": 0.9}


def noisy(accuracy, seed, n=300):
    return frame_of(LABELS[:n], noisy_logits(LABELS[:n], accuracy, seed))


def study(path, seeds=(0, 1), tests=("mrpc",), skip=()):
    """Runs of which exp3.2 is better than standard KD and exp3.0 is not."""
    return [
        write_fake_run(
            path,
            task,
            name,
            seed=seed,
            validation=noisy(accuracy, 100 * i + seed),
            test=noisy(accuracy, 500 + 100 * i + seed, 200) if task in tests else None,
        )
        for task in ("cola", "mrpc")
        for i, (name, accuracy) in enumerate(ACCURACY.items())
        for seed in seeds
        if (task, name) not in skip
    ]


def cell(frame, **keys):
    keys = {"task": "cola", "split": "validation", "experiment": "exp3.2"} | keys
    keys = {"unit": "examples"} | keys
    (found,) = frame[(frame[list(keys)] == pd.Series(keys)).all(axis=1)].to_dict("records")
    return found


def test_rows_of_a_comparison(tmp_path):
    frame = build(study(tmp_path), SETTINGS)
    assert list(frame.columns) == COLUMNS
    one = frame[(frame["task"] == "cola") & (frame["experiment"] == "exp3.0")]
    assert [tuple(row) for row in one[["metric", "test", "unit"]].to_numpy()] == [
        ("accuracy", "t", "examples"),
        ("accuracy", "mcnemar", "examples"),
        *[
            (metric, test, "examples")
            for metric in ("accuracy", "f1", "f1_weighted", "mcc")
            for test in ("permutation", "bootstrap")
        ],
        *[(metric, "t", "seeds") for metric in ("accuracy", "f1", "f1_weighted", "mcc")],
    ]
    assert set(one["seeds"]) == {2}
    assert set(frame.loc[frame["split"] == "test", "task"]) == {"mrpc"}


def test_the_better_model_has_a_positive_effect(tmp_path):
    runs = study(tmp_path)
    frame = build(runs, SETTINGS)
    scores = {
        name: np.mean([r.score("mcc") for r in runs if (r.task, r.experiment) == ("cola", name)])
        for name in ACCURACY
    }
    for test in ("permutation", "bootstrap"):
        found = cell(frame, metric="mcc", test=test)
        assert found["effect"] == pytest.approx(scores["exp3.2"] - scores["exp2.0"], abs=1e-6)
        assert found["p"] == pytest.approx(1 / 401)
        assert found["n"] == 300
    assert cell(frame, metric="mcc", test="bootstrap")["low"] > 0
    assert cell(frame, metric="accuracy", test="t")["p"] < 1e-3
    assert cell(frame, metric="mcc", test="t", unit="seeds")["n"] == 2


def test_holm_over_candidates_and_tasks_of_a_split(tmp_path):
    frame = build(study(tmp_path), SETTINGS)
    tests = frame[(frame["test"] == "t") & (frame["unit"] == "examples")]
    for split, size in (("validation", 4), ("test", 2)):
        family = tests[tests["split"] == split].sort_values("p")
        assert len(family) == size
        expected = np.minimum(1, np.maximum.accumulate(family["p"] * np.arange(size, 0, -1)))
        np.testing.assert_allclose(family["p_holm"], expected)


def test_one_seed_has_no_test_over_seeds(tmp_path):
    frame = build(study(tmp_path, seeds=(0,)), SETTINGS)
    found = cell(frame, metric="mcc", test="t", unit="seeds")
    assert found["remark"] == "no data: one seed"
    assert np.isnan(found["p"])
    assert cell(frame, metric="accuracy", test="t")["p"] < 1e-3


def test_missing_runs_have_a_remark(tmp_path):
    runs = study(tmp_path, skip=[("cola", "exp3.2"), ("mrpc", "exp2.0")])
    found = cell(build(runs, SETTINGS), metric="accuracy", test="t")
    assert found["remark"] == "no data: exp3.2 and exp2.0 have no seed in common"
    assert found["n"] == 0


@pytest.mark.parametrize("candidates", [SETTINGS["candidates"], []], ids=["no runs", "none"])
def test_nothing_to_compare_is_told(tmp_path, candidates):
    folders = [run.folder for run in study(tmp_path) if run.experiment == "exp2.0"]
    out = tmp_path / "out.csv"
    write_significance(folders, SETTINGS | {"candidates": candidates}, out)
    text = out.with_suffix(".md").read_text()
    assert "Nothing to compare: no internal KD has a seed in common with Exp2.0." in text
    assert "One seed per experiment" not in text
    assert "Nothing to compare" in out.with_suffix(".tex").read_text()


def test_only_common_seeds_are_compared(tmp_path):
    runs = [run for run in study(tmp_path) if (run.experiment, run.seed) != ("exp3.2", 0)]
    assert cell(build(runs, SETTINGS), metric="accuracy", test="t")["seeds"] == 1


def test_numbers_do_not_depend_on_the_other_comparisons(tmp_path):
    runs = study(tmp_path)
    alone = SETTINGS | {"candidates": SETTINGS["candidates"][1:], "tasks": ["cola"]}
    for test in ("permutation", "bootstrap"):
        one, other = (
            cell(build(runs, settings), metric="mcc", test=test) for settings in (SETTINGS, alone)
        )
        assert one["p"] == other["p"]
        np.testing.assert_equal(one["low"], other["low"])


def test_students_of_one_class_and_the_same_answers(tmp_path):
    same = frame_of(LABELS, logits_for([1] * 300))
    for name in ("exp2.0", "exp3.2"):
        write_fake_run(tmp_path, "cola", name, validation=same)
    folders = sorted(tmp_path.glob("runs/*/*/*/*/*"))
    write_significance(folders, SETTINGS, tmp_path / "out.csv")
    frame = pd.read_csv(tmp_path / "out.csv")
    found = cell(frame, metric="mcc", test="permutation")
    assert (found["effect"], found["p"]) == (0, 1)
    assert "no data" in (tmp_path / "out.md").read_text()


def test_files(tmp_path):
    folders = [run.folder for run in study(tmp_path)]
    write_significance(folders, SETTINGS, tmp_path / "out.csv")
    text = (tmp_path / "out.md").read_text()
    assert text.count("**Significance.") == 2
    assert "| CoLA | Exp3.2 | 300 | 2 | +" in text
    assert "Holm in a family of 4" in text
    assert "no p of this test can be below 0.01)" in text  # 4 / 401
    assert "One seed per experiment" not in text
    assert "Not the paper's numbers." in text
    latex = (tmp_path / "out.tex").read_text()
    assert "\\label{tab:significance}" in latex
    assert "\\label{tab:significance-test}" in latex


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


def test_the_command(tmp_path):
    folders = [run.folder for run in study(tmp_path, seeds=(0,))]
    options = ["--settings", json.dumps(SETTINGS), "--runs", *folders]
    options += ["--out", tmp_path / "out.csv"]
    subprocess.run(
        [sys.executable, "-m", "internal_kd.stages.significance", *options],
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert list(pd.read_csv(tmp_path / "out.csv").columns) == COLUMNS
