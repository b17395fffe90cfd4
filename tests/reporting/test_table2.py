import math
from dataclasses import replace

import pandas as pd
import pytest

from internal_kd.errors import UserError
from internal_kd.reporting.records import columns_of
from internal_kd.reporting.table2 import build, metrics_of, write_table2
from internal_kd.reporting.table2_layout import INTERNAL_LABEL, Table2Row, layout, notes
from internal_kd.specs.reports import Row
from internal_kd.specs.tables import Table2Settings
from internal_kd.study.glue import GLUE
from tests.reporting.answers import answers, predicted, unlabelled
from tests.reporting.fake_runs import write_fake_run
from tests.reporting.product import write_product

SETTINGS = Table2Settings(
    task_specs=GLUE,
    study="small",
    note="Not the paper's numbers.",
    tasks=("rte",),
    teacher=Row("exp1.0", "BERT_base"),
    standard=Row("exp2.0", "BERT_6 soft", "random"),
    candidates=(
        Row("exp3.0", "BERT_6 soft + kl", "random"),
        Row("exp3.4", "BERT_6 [SID] kl + cos -> soft", "teacher"),
    ),
    with_paper=False,
)


@pytest.fixture
def add(tmp_path):
    """Write a run with so many right answers out of ten on development and test set, or others."""

    def write(experiment, seed, right, test, task="rte", **more):
        found = answers(test) if isinstance(test, int) else test
        frames = {"validation": answers(right), "test": found}
        return write_fake_run(tmp_path, task, experiment, seed=seed, **frames | more)

    return write


@pytest.fixture
def runs(add):
    """A teacher, a student of standard distillation, and two candidates, on RTE."""
    return [
        add("exp1.0", 0, 9, 9),
        add("exp2.0", 0, 7, 6),
        add("exp2.0", 1, 7, 8),
        add("exp2.0", 2, 7, 7),
        add("exp3.0", 0, 6, 10),
        add("exp3.0", 1, 9, 10),
        add("exp3.0", 2, 6, 10),
        add("exp3.4", 0, 8, 7),
        add("exp3.4", 1, 8, 8),
        add("exp3.4", 2, 8, 9),
    ]


@pytest.fixture
def settings():
    return SETTINGS


def row(frame, experiment, task="rte", metric="accuracy"):
    keys = {"experiment": experiment, "task": task, "metric": metric}
    (found,) = frame[(frame[list(keys)] == pd.Series(keys)).all(axis=1)].to_dict("records")
    return found


def table(runs, settings):
    frame = build(runs, settings)
    return layout(frame, settings, notes(frame, runs, settings))


def written(tmp_path, runs, settings):
    """The lines of the Markdown table."""
    write_table2([run.folder for run in runs], settings, tmp_path / "table2.csv")
    return (tmp_path / "table2.md").read_text().splitlines()


def test_metrics_are_those_of_glue():
    assert metrics_of(GLUE["cola"]) == ("mcc",)
    assert metrics_of(GLUE["qqp"]) == metrics_of(GLUE["mrpc"]) == ("f1", "accuracy")
    assert metrics_of(GLUE["rte"]) == metrics_of(GLUE["qnli"]) == ("accuracy",)


def test_rows_in_paper_order(runs, settings):
    frame = build(runs, replace(settings, tasks=("mrpc", "rte")))
    assert list(frame.columns) == columns_of(Table2Row)
    assert list(dict.fromkeys(frame["experiment"])) == ["exp1.0", "exp2.0", "exp3.X"]
    of_teacher = frame.loc[frame["experiment"] == "exp1.0", ["task", "metric"]]
    expected = [["mrpc", "f1"], ["mrpc", "accuracy"], ["rte", "accuracy"]]
    assert of_teacher.to_numpy().tolist() == expected


def test_choice_depends_only_on_the_development_set(runs, settings):
    """exp3.0 has the best seed there and is perfect on the test set; exp3.4 has the best mean."""
    found = row(build(runs, settings), "exp3.X")
    assert found["chosen"] == "exp3.4"
    assert found["label"] == "BERT_6 [SID] kl + cos -> soft"
    assert found["head"] == "teacher"
    assert found["development"] == 0.8
    assert found["mean"] == 0.8


def test_test_scores_do_not_move_the_choice(add, settings):
    runs = [add("exp3.0", 0, 8, 0), add("exp3.4", 0, 8, 10)]
    assert row(build(runs, settings), "exp3.X")["chosen"] == "exp3.0"
    turned = replace(settings, candidates=settings.candidates[::-1])
    assert row(build(runs, turned), "exp3.X")["chosen"] == "exp3.4"


def test_choice_is_made_for_each_task(add, settings):
    runs = [add("exp3.0", 0, 8, 8), add("exp3.4", 0, 7, 7)]
    runs += [add("exp3.0", 0, 7, 7, task="cola"), add("exp3.4", 0, 8, 8, task="cola")]
    frame = build(runs, replace(settings, tasks=("cola", "rte")))
    assert row(frame, "exp3.X", "rte")["chosen"] == "exp3.0"
    assert row(frame, "exp3.X", "cola", "mcc")["chosen"] == "exp3.4"


def test_mean_and_sample_deviation_over_seeds(runs, settings):
    found = row(build(runs, settings), "exp2.0")
    assert (found["mean"], found["n"], found["status"]) == (0.7, 3, "scored")
    assert found["std"] == pytest.approx(0.1, abs=1e-6)
    teacher = row(build(runs, settings), "exp1.0")
    assert (teacher["mean"], teacher["n"]) == (0.9, 1)
    assert math.isnan(teacher["std"])


def test_two_runs_have_no_deviation_and_give_hints(tmp_path, runs, settings):
    two = [run for run in runs if run.seed < 2]
    assert math.isnan(row(build(two, settings), "exp2.0")["std"])
    lines = written(tmp_path, two, settings)
    assert not any("±" in line for line in lines if line.startswith("|"))
    assert "Two seeds: every difference is a hint; verdicts need 3." in lines


def test_f1_is_that_of_class_1(add, settings):
    test = predicted([1, 1, 1, 0], [1, 1, 0, 1])
    run = add("exp2.0", 0, 7, test, task="mrpc")
    frame = build([run], replace(settings, tasks=("mrpc",)))
    assert row(frame, "exp2.0", "mrpc", "f1")["mean"] == pytest.approx(2 / 3, abs=1e-6)
    assert row(frame, "exp2.0", "mrpc", "accuracy")["mean"] == 0.5


def test_unlabelled_test_split_is_submitted(tmp_path, add, settings):
    runs = [add(name, 0, 8, unlabelled([0, 1])) for name in ("exp1.0", "exp2.0", "exp3.0")]
    found = row(build(runs, settings), "exp2.0")
    assert (found["status"], found["n"]) == ("submit", 0)
    assert math.isnan(found["mean"])
    lines = written(tmp_path, runs, settings)
    assert "| Exp2.0 | BERT\\_6 soft | random | submit | – |" in lines
    assert any(line.startswith("submit: the test labels are not public") for line in lines)


def test_task_without_test_split_is_not_submitted(tmp_path, add, settings):
    runs = [add("exp2.0", 0, 8, None)]
    assert row(build(runs, settings), "exp2.0")["status"] == "no_test"
    assert "| Exp2.0 | BERT\\_6 soft | random | no test | – |" in written(tmp_path, runs, settings)


def test_missing_runs_are_reported(tmp_path, add, settings):
    runs = [add("exp2.0", 0, 8, 8)]
    found = row(build(runs, settings), "exp3.X")
    assert (found["status"], found["chosen"], found["label"], found["n"]) == ("missing", "", "", 0)
    assert math.isnan(found["development"])
    assert row(build(runs, settings), "exp1.0")["label"] == "BERT_base"
    lines = written(tmp_path, runs, settings)
    assert "| Exp1.0 | BERT\\_base |  | – | – |" in lines
    assert "–: no run." in lines
    assert any("Chosen: RTE none, there are no runs." in line for line in lines)


def test_no_runs_at_all(settings):
    frame = build([], replace(settings, candidates=()))
    assert set(frame["status"]) == {"missing"}
    text = str(table([], replace(settings, candidates=())))
    assert "nan" not in text.lower()


def test_papers_value_is_shown_next_to_ours(runs, settings):
    frame = build(runs, replace(settings, with_paper=True, tasks=("qqp", "rte")))
    assert row(frame, "exp3.X")["paper"] == 0.622
    assert row(frame, "exp1.0", "qqp", "f1")["paper"] == 0.713
    assert row(frame, "exp1.0", "qqp")["paper"] == 0.892
    assert build(runs, settings)["paper"].isna().all()


def test_markdown_as_written_by_hand(tmp_path, runs, settings):
    lines = written(tmp_path, runs, settings)
    assert lines[0].startswith("**Table 2. Scores on the test sets, in percent")
    assert lines[2:7] == [
        "| Experiment | Description | Head | RTE Acc. | n |",
        "| --- | --- | --- | ---: | ---: |",
        "| Exp1.0 | BERT\\_base |  | 90.0 | 1 |",
        "| Exp2.0 | BERT\\_6 soft | random | 70.0 ± 10.0 | 3 |",
        f"| Exp3.X | {INTERNAL_LABEL} | teacher's | 80.0 ± 10.0 | 3 |",
    ]
    chosen = "Chosen: RTE Exp3.4 (teacher's head, development Acc. 80.0)."
    assert any(chosen in line for line in lines)
    assert any("conditional on the one teacher of each task" in line for line in lines)
    assert lines[-1] == "Not the paper's numbers."


def test_latex_has_the_same_cells(tmp_path, runs, settings):
    written(tmp_path, runs, replace(settings, with_paper=True))
    text = (tmp_path / "table2.tex").read_text()
    assert r"Exp2.0 & BERT\_6 soft & random & 70.0 $\pm$ 10.0 & 59.7 & 3 \\" in text
    assert r"teacher's & 80.0 $\pm$ 10.0 & 62.2 & 3 \\" in text
    assert r"\label{tab:table2}" in text


def test_headings_of_the_paper_are_corrected(tmp_path, runs, settings):
    note = '"Acc./F1" names the two numbers of QQP and MRPC in the wrong order, they are F1/Acc.'
    with_paper = written(tmp_path, runs, replace(settings, with_paper=True))
    assert any(line.endswith(note) for line in with_paper)
    assert not any(note in line for line in written(tmp_path, runs, settings))


def test_nothing_is_bold(tmp_path, runs, settings):
    """Of two means one is always better."""
    lines = written(tmp_path, runs, settings)
    assert not any("**" in line for line in lines if line.startswith("|"))


def test_heads_of_what_was_chosen_on_each_task(tmp_path, add, settings):
    runs = [add("exp3.0", 0, 8, 8), add("exp3.4", 0, 7, 7)]
    runs += [add("exp3.0", 0, 7, 7, task="cola"), add("exp3.4", 0, 8, 8, task="cola")]
    lines = written(tmp_path, runs, replace(settings, tasks=("cola", "rte")))
    assert any("development score | teacher's, random |" in line for line in lines)


def test_one_class_student_has_a_footnote(tmp_path, add, settings):
    one_class = predicted([0, 1, 0, 1], [1, 1, 1, 1])
    flags = ["at_majority", "one_class"]
    run = add("exp2.0", 0, 7, one_class, "cola", validation=one_class, flags=flags)
    frame = build([run], replace(settings, tasks=("cola",)))
    found = row(frame, "exp2.0", "cola", "mcc")
    assert (found["mean"], found["flags"]) == (0.0, "at_majority one_class")
    lines = written(tmp_path, [run], replace(settings, tasks=("cola",)))
    assert "| Exp2.0 | BERT\\_6 soft | random | 0.0<sup>a,b</sup> | 1 |" in lines
    assert "b: at least one run always predicts the same class." in lines


def test_unequal_numbers_of_runs_are_reported(tmp_path, runs, settings):
    assert not any("unequal" in line for line in written(tmp_path, runs, settings))
    expected = "the choice on RTE compares unequal numbers of runs: Exp3.0 3, Exp3.4 2."
    assert any(expected in line for line in written(tmp_path, runs[:-1], settings))


def test_runs_of_several_sizes_are_refused(add, settings):
    runs = [add("exp2.0", 0, 8, 8), add("exp2.0", 0, 8, 8, layers=1)]
    with pytest.raises(UserError, match=r"exp2\.0 on rte: runs of different layers"):
        build(runs, settings)


def test_job(tmp_path, runs, settings):
    folders = [str(run.folder) for run in runs]
    out = tmp_path / "out.csv"
    arguments = ["--runs", *folders, "--out", str(out)]
    write_product("table2:write_table2", settings, *arguments)
    assert pd.read_csv(out)["chosen"].tolist() == ["exp1.0", "exp2.0", "exp3.4"]
    assert out.with_suffix(".md").is_file()
    assert out.with_suffix(".tex").is_file()


def test_stage_names_a_folder_that_is_not_a_run(tmp_path, settings, capsys):
    arguments = ["--runs", str(tmp_path / "nowhere")]
    with pytest.raises(SystemExit) as stop:
        write_product("table2:write_table2", settings, *arguments, "--out", tmp_path / "out.csv")
    assert stop.value.code == 2
    assert "not the metrics of a run" in capsys.readouterr().err
