import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from internal_kd.errors import UserError
from internal_kd.evaluation.comparison import score_differences
from internal_kd.reporting.runs import read_run_folders
from internal_kd.reporting.table1 import COLUMNS, build, write_table1
from internal_kd.reporting.wording import HEADS
from internal_kd.study.glue import GLUE
from tests.reporting.conftest import EXAMPLES, metrics_of, predictions_of, row

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def folders(runs, write):
    return read_run_folders(write(runs), GLUE)


@pytest.fixture
def frame(folders, settings):
    return build(folders, replace(settings, with_paper=True))


def cell(frame, experiment, task, metric, split="validation"):
    keys = {"experiment": experiment, "task": task, "metric": metric, "split": split}
    (found,) = frame[(frame[list(keys)] == pd.Series(keys)).all(axis=1)].to_dict("records")
    return found


def test_tidy_rows_in_paper_order(frame):
    assert list(frame.columns) == COLUMNS
    assert list(dict.fromkeys(frame["experiment"])) == ["exp1.0", "exp2.0", "exp3.4", "majority"]
    of_teacher = frame[frame["experiment"] == "exp1.0"][["task", "metric", "split"]]
    assert [tuple(row) for row in of_teacher.to_numpy()] == [
        ("cola", "mcc", "validation"),
        ("cola", "mcc", "last_epoch"),
        ("mrpc", "accuracy", "validation"),
        ("mrpc", "accuracy", "last_epoch"),
        ("mrpc", "accuracy", "test"),
        ("mrpc", "f1_weighted", "validation"),
        ("mrpc", "f1_weighted", "last_epoch"),
        ("mrpc", "f1_weighted", "test"),
    ]


def test_mean_sample_deviation_and_number_of_runs(frame):
    found = cell(frame, "exp2.0", "mrpc", "accuracy")
    assert found["mean"] == pytest.approx(0.6)
    assert found["std"] == pytest.approx(math.sqrt(2 * 0.1**2 / 2), abs=1e-6)  # one less than n
    assert found["n"] == 3
    assert cell(frame, "exp2.0", "mrpc", "accuracy", "test")["mean"] == pytest.approx(0.59)


def test_one_or_two_runs_have_no_deviation(runs, settings, write):
    two = [run for run in runs if run["run"]["seed"] < 2]
    frame = build(read_run_folders(write(two), GLUE), settings)
    for name, mean, n in (("exp1.0", 0.63, 1), ("exp2.0", 0.44, 2)):
        found = cell(frame, name, "cola", "mcc")
        assert found["mean"] == pytest.approx(mean)
        assert math.isnan(found["std"])
        assert found["n"] == n


def test_scores_of_the_last_epoch_stand_beside_those_of_the_kept_one(frame):
    last = cell(frame, "exp3.4", "mrpc", "accuracy", "last_epoch")
    assert last["mean"] == pytest.approx((0.68 + 0.73 + 0.75) / 3, abs=1e-6)
    assert cell(frame, "exp3.4", "mrpc", "accuracy")["mean"] == pytest.approx(0.75)


@pytest.mark.parametrize(("task", "metric"), [("cola", "mcc"), ("mrpc", "accuracy")])
def test_the_smallest_detectable_difference_from_the_baseline(frame, task, metric):
    """By the test over examples and seeds, of the predictions themselves."""
    runs = [{"task": task, "seed": seed} for seed in range(3)]
    first, second = (
        np.stack([predictions_of(run | {"experiment": name}).predictions for run in runs])
        for name in ("exp3.4", "exp2.0")
    )
    labels = np.arange(EXAMPLES) % 2
    effects = score_differences(labels, first, second, 4000, np.random.default_rng(1))
    found = cell(frame, "exp3.4", task, metric)["detectable"]
    assert found == pytest.approx(effects[metric].detectable(0.95), rel=0.1)


def test_only_students_with_another_baseline_have_a_detectable_difference(frame):
    known = frame.loc[frame["detectable"].notna(), ["experiment", "split"]]
    assert set(map(tuple, known.to_numpy())) == {("exp3.4", "validation")}


def test_a_row_without_a_baseline_has_no_detectable_difference(folders, settings):
    *others, last = settings.experiments
    alone = replace(settings, experiments=(*others, replace(last, baseline=None)))
    assert build(folders, alone)["detectable"].isna().all()


def test_papers_value_is_shown_only_with_the_development_score(frame):
    assert cell(frame, "exp3.4", "cola", "mcc")["paper"] == pytest.approx(0.4609)
    assert cell(frame, "exp3.4", "mrpc", "f1_weighted")["paper"] == pytest.approx(0.8139)
    assert math.isnan(cell(frame, "exp3.4", "mrpc", "f1_weighted", "test")["paper"])


def test_papers_value_is_absent_if_disabled_or_not_published(folders, settings):
    assert build(folders, settings)["paper"].isna().all()
    own = replace(row("exp2.0", "own", "random", "exp2.0"), paper_row=None)
    other = replace(settings, experiments=(own,), tasks=("cola", "qnli"), with_paper=True)
    assert build(folders, other)["paper"].isna().all()


def test_majority_class_comes_last(frame):
    found = cell(frame, "majority", "mrpc", "accuracy")
    assert found["mean"] == 0.5
    assert pd.isna(found["n"])
    assert cell(frame, "majority", "mrpc", "accuracy", "test")["mean"] == 0.5


def test_flags_are_named(frame):
    assert cell(frame, "exp2.0", "mrpc", "accuracy")["flags"] == "at_majority one_class"
    assert cell(frame, "exp2.0", "cola", "mcc")["flags"] == ""


def test_missing_runs_have_no_score(folders, settings):
    frame = build([run for run in folders if run.experiment != "exp3.4"], settings)
    found = cell(frame, "exp3.4", "cola", "mcc")
    assert found["n"] == 0
    assert math.isnan(found["mean"])


@pytest.mark.parametrize("suffix", [".csv", ".md", ".tex"])
@pytest.mark.parametrize("with_paper", [False, True])
def test_whole_files(tmp_path, runs, settings, write, suffix, with_paper):
    write_table1(write(runs), replace(settings, with_paper=with_paper), tmp_path / "table1.csv")
    name = "table1_paper" if with_paper else "table1"
    expected = (GOLDEN / f"{name}{suffix}").read_text()
    assert (tmp_path / f"table1{suffix}").read_text() == expected


def test_one_seed_only(tmp_path, runs, settings, write):
    first = [run for run in runs if run["run"]["seed"] == 0]
    write_table1(write(first), settings, tmp_path / "table1.csv")
    lines = (tmp_path / "table1.md").read_text().splitlines()
    assert not any("±" in line for line in lines if line.startswith("|"))
    frame = pd.read_csv(tmp_path / "table1.csv")
    assert frame["std"].isna().all()
    assert frame["detectable"].isna().all()
    assert any(line.startswith("One seed: every difference is a hint") for line in lines)


def test_two_seeds_give_hints(tmp_path, runs, settings, write):
    two = [run for run in runs if run["run"]["seed"] < 2]
    write_table1(write(two), settings, tmp_path / "table1.csv")
    lines = (tmp_path / "table1.md").read_text().splitlines()
    assert not any("±" in line for line in lines if line.startswith("|"))
    assert "Two seeds: every difference is a hint; verdicts need 3." in lines


def test_several_teachers_are_counted(tmp_path, runs, settings, write):
    more = [metrics_of("exp1.0", task, seed, 0.6) for task in ("cola", "mrpc") for seed in (1, 2)]
    write_table1(write(runs + more), settings, tmp_path / "table1.csv")
    text = (tmp_path / "table1.md").read_text()
    assert "a teacher of its own (3 per task)" in text
    assert "conditional on the one teacher" not in text


def test_the_choice_of_the_epoch_is_reported(tmp_path, runs, settings, write):
    """By the metric that selects; exp2.0 on CoLA 1 point, exp3.4 on MRPC 3, of six rows."""
    write_table1(write(runs), settings, tmp_path / "table1.csv")
    expected = (
        "the kept epoch scores 0.7 points above the last one in the mean over rows (CoLA 0.3, "
        "MRPC 1.0), at most by 3.0 (Exp3.4 on MRPC)."
    )
    assert expected in (tmp_path / "table1.md").read_text()


def test_runs_that_keep_the_last_epoch_choose_none(tmp_path, runs, settings, write):
    same = [run | {"last_epoch": run["validation"]} for run in runs]
    write_table1(write(same), settings, tmp_path / "table1.csv")
    assert "kept epoch" not in (tmp_path / "table1.md").read_text()


@pytest.mark.parametrize("head", ["teacher", "teacher_start"])
def test_heads_are_named(tmp_path, runs, settings, write, head):
    *others, last = settings.experiments
    told = replace(last, head=head, baseline=None)
    write_table1(
        write(runs), replace(settings, experiments=(*others, told)), tmp_path / "table1.csv"
    )
    (line,) = [x for x in (tmp_path / "table1.md").read_text().splitlines() if "| Exp3.4" in x]
    assert f"| {HEADS[head]} |" in line
    assert set(pd.read_csv(tmp_path / "table1.csv")["head"].dropna()) == {"random", head}


def test_no_runs_at_all(tmp_path, settings, write):
    write_table1(write([]), settings, tmp_path / "table1.csv")
    text = (tmp_path / "table1.md").read_text()
    assert "| Exp3.4 | BERT_6" in text.replace("\\", "")
    assert "nan" not in text.lower()


def test_unequal_numbers_of_runs_are_shown(tmp_path, runs, settings, write):
    write_table1(write(runs[:-1]), settings, tmp_path / "table1.csv")
    assert "| 2–3 |" in (tmp_path / "table1.md").read_text()


def test_nothing_is_bold(tmp_path, runs, settings, write):
    write_table1(write(runs), settings, tmp_path / "table1.csv")
    lines = (tmp_path / "table1.md").read_text().splitlines()
    assert not any("**" in line for line in lines if line.startswith("|"))
    assert "textbf" not in (tmp_path / "table1.tex").read_text()


@pytest.mark.parametrize("content", ["", "{}", '{"run": {}}', "[]"])
def test_broken_metrics_are_named(tmp_path, settings, content):
    (tmp_path / "metrics.json").write_text(content)
    with pytest.raises(UserError, match=r"metrics\.json: not the metrics of a run"):
        write_table1([tmp_path], settings, tmp_path / "table1.csv")


def test_absent_metrics_are_named(tmp_path, settings):
    with pytest.raises(UserError, match=r"nowhere/metrics\.json: not the metrics of a run"):
        write_table1([tmp_path / "nowhere"], settings, tmp_path / "table1.csv")


def test_reporting_starts_without_torch():
    program = (
        "import sys, internal_kd.reporting.table1;"
        "print([m for m in ('torch', 'transformers', 'datasets') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
