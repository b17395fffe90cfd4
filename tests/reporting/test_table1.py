import math
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from internal_kd.errors import UserError
from internal_kd.reporting.table1 import COLUMNS, build, write_table1
from tests.reporting.conftest import metrics_of

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def frame(runs, settings):
    return build(runs, settings["experiments"], settings["tasks"], with_paper=True)


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
        ("mrpc", "accuracy", "validation"),
        ("mrpc", "accuracy", "test"),
        ("mrpc", "f1_weighted", "validation"),
        ("mrpc", "f1_weighted", "test"),
    ]


def test_mean_sample_deviation_and_number_of_runs(frame):
    found = cell(frame, "exp2.0", "mrpc", "accuracy")
    assert found["mean"] == pytest.approx(0.6)
    assert found["std"] == pytest.approx(math.sqrt(2 * 0.1**2), abs=1e-6)  # one less than n
    assert found["n"] == 2
    assert cell(frame, "exp2.0", "mrpc", "accuracy", "test")["mean"] == pytest.approx(0.59)


def test_one_run_has_no_deviation(frame):
    found = cell(frame, "exp1.0", "cola", "mcc")
    assert found["mean"] == pytest.approx(0.63)
    assert math.isnan(found["std"])
    assert found["n"] == 1


def test_papers_value_stands_beside_the_development_score_only(frame):
    assert cell(frame, "exp3.4", "cola", "mcc")["paper"] == pytest.approx(0.4609)
    assert cell(frame, "exp3.4", "mrpc", "f1_weighted")["paper"] == pytest.approx(0.8139)
    assert math.isnan(cell(frame, "exp3.4", "mrpc", "f1_weighted", "test")["paper"])


def test_no_papers_value_where_it_is_not_wanted_or_does_not_exist(runs, settings):
    frame = build(runs, settings["experiments"], settings["tasks"], with_paper=False)
    assert frame["paper"].isna().all()
    own = [{"name": "exp2.0", "label": "own", "paper_row": None}]
    assert build(runs, own, ["cola", "qnli"], with_paper=True)["paper"].isna().all()


def test_majority_class_comes_last(frame):
    found = cell(frame, "majority", "mrpc", "accuracy")
    assert found["mean"] == 0.5
    assert pd.isna(found["n"])
    assert cell(frame, "majority", "mrpc", "accuracy", "test")["mean"] == 0.5


def test_flags_are_named(frame):
    assert cell(frame, "exp2.0", "mrpc", "accuracy")["flags"] == "at_majority one_class"
    assert cell(frame, "exp2.0", "cola", "mcc")["flags"] == ""


def test_missing_runs_have_no_score(runs, settings):
    without = [run for run in runs if run["run"]["experiment"] != "exp3.4"]
    frame = build(without, settings["experiments"], settings["tasks"], with_paper=False)
    found = cell(frame, "exp3.4", "cola", "mcc")
    assert found["n"] == 0
    assert math.isnan(found["mean"])


@pytest.mark.parametrize("suffix", [".csv", ".md", ".tex"])
@pytest.mark.parametrize("with_paper", [False, True])
def test_files_as_written_by_hand(tmp_path, runs, settings, write, suffix, with_paper):
    write_table1(write(runs), settings | {"with_paper": with_paper}, tmp_path / "table1.csv")
    name = "table1_paper" if with_paper else "table1"
    expected = (GOLDEN / f"{name}{suffix}").read_text()
    assert (tmp_path / f"table1{suffix}").read_text() == expected


def test_one_seed_only(tmp_path, runs, settings, write):
    first = [run for run in runs if run["run"]["seed"] == 0]
    write_table1(write(first), settings, tmp_path / "table1.csv")
    lines = (tmp_path / "table1.md").read_text().splitlines()
    assert not any("±" in line for line in lines if line.startswith("|"))
    assert pd.read_csv(tmp_path / "table1.csv")["std"].isna().all()


def test_nothing_at_all(tmp_path, settings, write):
    write_table1(write([]), settings, tmp_path / "table1.csv")
    text = (tmp_path / "table1.md").read_text()
    assert "| Exp3.4 | BERT_6" in text.replace("\\", "")
    assert "nan" not in text.lower()


def test_unequal_numbers_of_runs_are_shown(tmp_path, runs, settings, write):
    write_table1(write(runs[:-1]), settings, tmp_path / "table1.csv")
    assert "| 1–2 |" in (tmp_path / "table1.md").read_text()


def test_equal_means_are_both_bold(tmp_path, settings, write):
    runs = [metrics_of(e, t, 0, 0.7) for e in ("exp2.0", "exp3.4") for t in settings["tasks"]]
    write_table1(write(runs), settings, tmp_path / "table1.csv")
    assert (tmp_path / "table1.md").read_text().count("**73.00**") == 2


def test_mixed_code_is_told(tmp_path, runs, settings, write):
    runs[-1]["code"] = "def"
    write_table1(write(runs), settings, tmp_path / "table1.csv")
    expected = "Attention: the students were trained by different versions of the code (abc, def)."
    for suffix in (".md", ".tex"):
        assert expected in (tmp_path / f"table1{suffix}").read_text()


def test_teacher_and_students_may_differ_in_code(tmp_path, runs, settings, write):
    for run in runs[:2]:
        run["code"] = "def"
    write_table1(write(runs), settings, tmp_path / "table1.csv")
    assert "Attention" not in (tmp_path / "table1.md").read_text()


@pytest.mark.parametrize("content", ["", "{}", '{"run": {}}', "[]"])
def test_broken_metrics_are_named(tmp_path, settings, content):
    (tmp_path / "metrics.json").write_text(content)
    with pytest.raises(UserError, match=r"metrics\.json: not the metrics of a run"):
        write_table1([tmp_path / "metrics.json"], settings, tmp_path / "table1.csv")


def test_absent_metrics_are_named(tmp_path, settings):
    with pytest.raises(UserError, match=r"nowhere\.json: not the metrics of a run"):
        write_table1([tmp_path / "nowhere.json"], settings, tmp_path / "table1.csv")


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
