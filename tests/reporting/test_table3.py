import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from internal_kd.errors import UserError
from internal_kd.evaluation.inference import paired_means
from internal_kd.reporting.records import columns_of
from internal_kd.reporting.table3 import (
    COUNTS,
    build,
    counts,
    write_table3,
)
from internal_kd.reporting.table3_layout import Counts, Table3Row
from internal_kd.specs.tables import Table3Settings
from internal_kd.study.glue import GLUE
from tests.reporting.answers import answers, predicted
from tests.reporting.conftest import row
from tests.reporting.fake_runs import write_fake_run
from tests.reporting.product import write_product

LABELS = [0, 0, 0, 0, 1, 1, 1, 1]
TEACHER = [0, 0, 0, 1, 1, 1, 1, 0]  # right on 6
FIRST = [0, 0, 1, 1, 1, 1, 1, 1]  # right on 5 of them, and on the last
SECOND = [0, 0, 0, 1, 1, 1, 1, 1]  # right on all of them, and on the last
SETTINGS = Table3Settings(
    task_specs=GLUE,
    study="small",
    note="Not the paper's numbers.",
    tasks=("qqp",),
    teacher=row("exp1.0", "BERT_base", None, None),
    standard=row("exp2.0", "BERT_6 soft", "random", "exp2.0"),
    internal=row("exp3.2", "BERT_6 soft + kl + cos", "random", "exp2.0"),
    with_paper=False,
    confidence=0.95,
)


@pytest.fixture
def add(tmp_path):
    """Write a run with these development predictions."""

    def write(experiment, seed, guesses, task="qqp", **more):
        frames = {"validation": predicted(LABELS, guesses)}
        return write_fake_run(tmp_path, task, experiment, seed=seed, **frames | more)

    return write


@pytest.fixture
def runs(add):
    """A teacher, and students of two seeds."""
    return [
        add("exp1.0", 0, TEACHER),
        add("exp2.0", 0, FIRST),
        add("exp2.0", 1, SECOND),
        add("exp3.2", 0, TEACHER),
        add("exp3.2", 1, SECOND),
    ]


@pytest.fixture
def settings():
    return SETTINGS


def written(tmp_path, runs, settings):
    """The lines of the Markdown table."""
    write_table3([run.folder for run in runs], settings, tmp_path / "table3.csv")
    return (tmp_path / "table3.md").read_text().splitlines()


def test_counts_by_hand():
    found = counts(predicted(LABELS, TEACHER), predicted(LABELS, FIRST))
    assert found == Counts(
        n=8,
        teacher_right=6,
        teacher_wrong=2,
        right_when_right=5,
        wrong_when_right=1,
        right_when_wrong=1,
        wrong_when_wrong=1,
        agreement=0.75,
    )


@given(st.lists(st.tuples(*[st.integers(0, 1)] * 3), min_size=1, max_size=30))
def test_counts_sum_to_the_development_set(rows):
    labels, teacher, student = (list(column) for column in zip(*rows, strict=True))
    found = counts(predicted(labels, teacher), predicted(labels, student))
    assert found.right_when_right + found.wrong_when_right == found.teacher_right
    assert found.right_when_wrong + found.wrong_when_wrong == found.teacher_wrong
    assert found.teacher_right + found.teacher_wrong == found.n == len(rows)
    same = found.right_when_right + found.wrong_when_wrong
    assert found.agreement == pytest.approx(same / len(rows))  # of two classes


def test_a_row_per_student_and_seed_then_its_mean_and_the_difference(runs, settings):
    frame = build(runs, settings)
    assert list(frame.columns) == columns_of(Table3Row)
    keys = frame[["task", "experiment", "seed"]].to_numpy().tolist()
    students = [["qqp", n, s] for n in ("exp2.0", "exp3.2") for s in ("0", "1", "mean")]
    assert keys == [*students, ["qqp", "exp3.2 - exp2.0", "mean"]]
    assert frame["label"].tolist()[:6:3] == ["BERT_6 soft", "BERT_6 soft + kl + cos"]
    assert frame["head"].tolist()[:6] == ["random"] * 6
    assert frame["right_when_right"].tolist()[:6] == [5, 6, 5.5, 6, 6, 6]
    assert frame["wrong_when_wrong"].tolist()[:6] == [1, 1, 1, 2, 1, 1.5]
    assert frame["agreement"].tolist() == [0.75, 0.875, 0.8125, 1.0, 0.875, 0.9375, 0.125]
    assert frame["seeds"].tolist() == [1, 1, 2, 1, 1, 2, 2]


def agreements(*students):
    """1.0 where a student predicts what the teacher does, [seeds, n]."""
    return np.array([np.equal(TEACHER, student) for student in students]).astype(float)


def test_intervals_are_over_examples_and_seeds(add, settings):
    runs = [add("exp1.0", 0, TEACHER)]
    guesses = {"exp2.0": [FIRST, SECOND, LABELS], "exp3.2": [TEACHER, SECOND, TEACHER]}
    runs += [add(name, i, each) for name, all_ in guesses.items() for i, each in enumerate(all_)]
    means = build(runs, settings).query("seed == 'mean'").set_index("experiment")
    standard, internal = (agreements(*guesses[name]) for name in ("exp2.0", "exp3.2"))
    own = paired_means(standard, np.zeros_like(standard))
    low, high = own.interval(0.95)
    assert means.loc["exp2.0", "agreement_low"] == pytest.approx(low, abs=1e-6)
    assert means.loc["exp2.0", "agreement_high"] == pytest.approx(min(high, 1), abs=1e-6)
    difference, found = paired_means(internal, standard), means.loc["exp3.2 - exp2.0"]
    assert found["agreement"] == pytest.approx(difference.value, abs=1e-6)
    ends = (found["agreement_low"], found["agreement_high"])
    assert ends == pytest.approx(difference.interval(0.95), abs=1e-6)
    assert found["detectable"] == pytest.approx(difference.detectable(0.95), abs=1e-6)


def test_more_seeds_that_agree_are_not_more_examples(add, settings):
    runs = [add("exp1.0", 0, TEACHER), *(add("exp2.0", seed, FIRST) for seed in range(4))]
    one, four = (
        build(some, settings).iloc[-1][["agreement_low", "agreement_high"]].tolist()
        for some in (runs[:2], runs)
    )
    assert one == pytest.approx(four)


def test_one_seed_detects_nothing(runs, settings):
    first = build([run for run in runs if run.seed == 0], settings)
    assert math.isnan(first["detectable"].iloc[-1])
    assert first["agreement"].iloc[-1] == 0.25


def test_students_are_compared_over_common_seeds(add, settings):
    runs = [add("exp1.0", 0, TEACHER), add("exp2.0", 0, FIRST), add("exp3.2", 1, SECOND)]
    assert "exp3.2 - exp2.0" not in set(build(runs, settings)["experiment"])
    both = build([*runs, add("exp3.2", 0, FIRST)], settings).iloc[-1]
    assert (both["experiment"], both["seeds"], both["agreement"]) == ("exp3.2 - exp2.0", 1, 0)


def test_with_several_teachers_each_student_has_its_own(add, settings):
    runs = [add("exp1.0", 0, TEACHER), add("exp1.0", 1, LABELS)]
    runs += [add("exp2.0", seed, SECOND) for seed in (0, 1, 2)]
    frame = build(runs, settings)
    assert frame["seed"].tolist() == ["0", "1", "mean"]  # the third has no teacher
    assert frame["teacher_right"].tolist() == [6, 8, 7]
    assert frame["agreement"].tolist() == [0.875, 0.875, 0.875]


def test_papers_numbers(runs, settings):
    frame = build(runs, replace(settings, with_paper=True))
    papers = frame.set_index(["experiment", "seed"])
    assert papers.loc[("exp3.2", "1"), "paper_right_when_right"] == 36_191
    assert papers.loc[("exp2.0", "0"), "paper_wrong_when_right"] == 1_566
    assert papers.loc[("exp2.0", "mean"), "paper_teacher_wrong"] == 3_463
    without = build(runs, settings)
    assert (
        without[[name for name in columns_of(Table3Row) if name.startswith("paper_")]]
        .isna()
        .all(axis=None)
    )


def test_means_over_seeds_sum_too(runs, settings):
    means = build(runs, settings).query("seed == 'mean'").set_index("experiment")
    assert means.loc["exp2.0", COUNTS].tolist() == [6, 2, 5.5, 0.5, 1, 1]


def test_markdown_as_written_by_hand(tmp_path, runs, settings):
    lines = written(tmp_path, runs, settings)
    assert lines[0].startswith("**Table 3. Right and wrong predictions of the students")
    assert lines[2].startswith("| Task | Student | Head | Teacher right all | Teacher right stud")
    assert lines[4:6] == [
        "| QQP | Exp2.0: BERT\\_6 soft | random | 6 | 5.5 (91.7 %) | 0.5 (8.3 %) | 2 | 1 (50.0 %) "
        "| 1 (50.0 %) | 81.2 \\[47.5, 100.0\\] | 2 |",
        "| QQP | Exp3.2: BERT\\_6 soft + kl + cos | random | 6 | 6 (100.0 %) | 0 (0.0 %) | 2 "
        "| 0.5 (25.0 %) | 1.5 (75.0 %) | 93.8 \\[67.8, 100.0\\] | 2 |",
    ]
    assert "Two seeds: every difference is a hint; verdicts need 3." in lines
    assert any("Exp3.2 minus Exp2.0, in points: QQP +12.5 [" in x for x in unescaped(lines))
    assert lines[-1] == "Not the paper's numbers."


def unescaped(lines):
    return [line.replace("\\", "") for line in lines]


def test_students_of_other_starts_give_hints(tmp_path, runs, settings):
    other = replace(settings.internal, head="teacher", baseline="exp2.0t")
    lines = written(tmp_path, runs, replace(settings, internal=other))
    assert "| teacher's |" in lines[5]
    assert any(
        line.startswith("Exp3.2 and Exp2.0 differ in more than their losses") for line in lines
    )


def test_papers_numbers_stand_below_ours(tmp_path, runs, settings):
    lines = written(tmp_path, runs, replace(settings, with_paper=True))
    assert lines[7] == (
        "| QQP | Exp3.2, paper |  | 36,967 | 36,191 (97.9 %) | 776 (2.1 %) | 3,463 | 750 (21.7 %) "
        "| 2,713 (78.3 %) | 96.2 |  |"
    )
    text = (tmp_path / "table3.tex").read_text()
    assert r"Exp2.0, paper &  & 36,967 & 35,401 (95.8 \%) & 1,566 (4.2 \%)" in text
    assert r"\cmidrule(lr){4-6} \cmidrule(lr){7-9}" in text


def test_paper_has_no_numbers_of_other_tasks(tmp_path, add, settings):
    runs = [add("exp1.0", 0, TEACHER, "rte"), add("exp2.0", 0, FIRST, "rte")]
    lines = written(tmp_path, runs, replace(settings, tasks=("rte",), with_paper=True))
    assert not any("paper" in line for line in lines if line.startswith("|"))


def test_one_seed_shows_whole_numbers(tmp_path, runs, settings):
    lines = written(tmp_path, runs[:2], settings)
    assert "| 6 | 5 (83.3 %) | 1 (16.7 %) | 2 | 1 (50.0 %) | 1 (50.0 %) |" in lines[4]
    assert any(line.startswith("One seed: every difference is a hint") for line in lines)
    assert not any("etectable" in line for line in lines)
    assert lines[4].endswith("| 1 |")


@pytest.mark.parametrize("kept", [[], [0], [1, 2]])
def test_missing_runs_are_reported(tmp_path, runs, settings, kept):
    """No run at all, the teacher alone, a student without its teacher."""
    lines = written(tmp_path, [runs[i] for i in kept], settings)
    missing = "| QQP | Exp2.0: BERT\\_6 soft | random | – | – | – | – | – | – | – | 0 |"
    assert lines[4] == missing
    assert "–: no run of the student or of its teacher." in lines
    assert pd.read_csv(tmp_path / "table3.csv").empty


def test_teacher_that_is_always_right(tmp_path, add, settings):
    runs = [add("exp1.0", 0, LABELS), add("exp2.0", 0, FIRST)]
    lines = written(tmp_path, runs, settings)
    assert "| 8 | 6 (75.0 %) | 2 (25.0 %) | 0 | 0 (–) | 0 (–) |" in lines[4]
    assert "The teacher is always right on QQP." in lines


def test_single_class_predictions_are_reported(tmp_path, add, settings):
    runs = [add("exp1.0", 0, TEACHER), add("exp2.0", 0, [1] * 8, flags=["one_class"])]
    lines = written(tmp_path, runs, settings)
    assert "Exp2.0 on QQP: at least one run always predicts the same class." in lines
    assert "| 6 | 3 (50.0 %) | 3 (50.0 %) | 2 | 1 (50.0 %) | 1 (50.0 %) |" in lines[4]


def test_other_development_examples_are_refused(add, settings):
    runs = [add("exp1.0", 0, TEACHER), add("exp2.0", 0, FIRST, validation=answers(5))]
    with pytest.raises(UserError, match="development examples are not those of"):
        build(runs, settings)


def test_job(tmp_path, runs, settings):
    folders = [str(run.folder) for run in runs]
    out = tmp_path / "out.csv"
    arguments = ["--runs", *folders, "--out", str(out)]
    write_product("table3:write_table3", settings, *arguments)
    frame = pd.read_csv(out)
    students = frame[frame["head"].notna()]
    assert (students[COUNTS[2:]].sum(axis=1) == students["n"]).all()
    assert not np.isnan(frame["agreement"]).any()
    assert math.isclose(students["agreement"].mean(), 0.875)
    assert out.with_suffix(".md").is_file()
    assert out.with_suffix(".tex").is_file()
