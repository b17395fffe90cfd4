from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from internal_kd.errors import UserError
from internal_kd.reporting.runs import read_run_folders
from internal_kd.reporting.table4 import COLUMNS, cases, draw, write_table4
from internal_kd.reporting.table4_layout import COLUMNS as LOOK
from internal_kd.reporting.table4_layout import probability, wrapped
from internal_kd.specs.reports import Row
from internal_kd.specs.tables import Table4Settings
from internal_kd.study.glue import GLUE
from tests.reporting.answers import predicted
from tests.reporting.fake_runs import frame_of, write_fake_run
from tests.reporting.product import write_product

# Rows 0 to 2: the internal student alone is wrong; 3 and 4: the standard one; 5: nobody;
# 6: the teacher and the internal student; 7: both students.
LABELS = [0, 1, 0, 1, 1, 0, 1, 0]
TEACHER = [0, 1, 0, 1, 1, 0, 0, 0]
STANDARD = [0, 1, 0, 0, 0, 0, 1, 1]
INTERNAL = [1, 0, 1, 1, 1, 0, 0, 1]
SETTINGS = Table4Settings(
    task_specs=GLUE,
    study="small",
    note="Not the paper's numbers.",
    tasks=("qqp",),
    teacher=Row("exp1.0", "BERT_base"),
    standard=Row("exp2.0", "BERT_6 soft", "random"),
    internal=Row("exp3.2", "BERT_6 soft + kl + cos", "teacher"),
    examples=2,
    seed=0,
    student_seed=0,
)
SURE = 1 / (1 + np.exp(-2))  # of the predicted class, at logits 0 and 2


@pytest.fixture
def settings():
    return SETTINGS


@pytest.fixture
def add(tmp_path):
    """Write a run with these development predictions."""

    def write(experiment, guesses, task="qqp", seed=0, **more):
        frames = {"validation": predicted(LABELS, guesses)}
        folder = tmp_path / "results"
        return write_fake_run(folder, task, experiment, seed=seed, **frames | more)

    return write


@pytest.fixture
def examples(tmp_path):
    """Write the development examples of a task."""

    def write(task="qqp", columns=("question1", "question2"), labels=LABELS, text="text"):
        path = tmp_path / "results" / "data" / task / "examples.parquet"
        path.parent.mkdir(parents=True)
        rows = {"split": "validation", "index": np.arange(len(labels)), "label": labels}
        frame = pd.DataFrame(rows).assign(idx=np.arange(len(labels)) + 100)
        for column in columns:
            frame[column] = [f"{text} {row} of {column}" for row in range(len(labels))]
        frame.to_parquet(path)
        return path

    return write


@pytest.fixture
def runs(add):
    return [add("exp1.0", TEACHER), add("exp2.0", STANDARD), add("exp3.2", INTERNAL)]


def written(tmp_path, runs, files, settings):
    """The lines of the Markdown table."""
    write_table4([run.folder for run in runs], files, settings, tmp_path / "table4.csv")
    return (tmp_path / "table4.md").read_text().splitlines()


def body(lines):
    return [line for line in lines if line.startswith("| ")][2:]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.9999, "0.9999"),
        (0.0429, "0.0429"),
        (0.0017, "0.0017"),
        (0.001, "0.0010"),
        (1.2e-4, "1.2e-4"),
        (3.456e-12, "3.5e-12"),
        (0.0, "0.0000"),
        (1.0, "1.0000"),
    ],
)
def test_probabilities_as_the_paper_prints_them(value, text):
    assert probability(value) == text


def test_all_cases_by_hand(runs, examples, settings):
    frame = cases(runs, "qqp", [examples()], settings)
    assert list(frame.columns) == COLUMNS
    found = frame[["wrong", "index", "idx", "found"]].to_numpy().tolist()
    assert found == [
        ["internal", 0, 100, 3],
        ["internal", 1, 101, 3],
        ["internal", 2, 102, 3],
        ["standard", 3, 103, 2],
        ["standard", 4, 104, 2],
    ]
    assert frame["label"].tolist() == LABELS[:5]
    assert frame["text_1"][3] == "text 3 of question1"
    assert frame["text_2"][3] == "text 3 of question2"


def test_predictions_and_probabilities_of_class_1(runs, examples, settings):
    frame = cases(runs, "qqp", [examples()], settings)
    models = (("teacher", TEACHER), ("standard", STANDARD), ("internal", INTERNAL))
    for role, guesses in models:
        assert frame[f"{role}_prediction"].tolist() == guesses[:5]
        expected = [SURE if guess == 1 else 1 - SURE for guess in guesses[:5]]
        assert frame[f"{role}_probability"].tolist() == pytest.approx(expected)


def test_single_sentences_have_no_second_text(add, examples, settings):
    models = (("exp1.0", TEACHER), ("exp2.0", STANDARD), ("exp3.2", INTERNAL))
    runs = [add(name, guesses, "cola") for name, guesses in models]
    frame = cases(runs, "cola", [examples("cola", ["sentence"])], settings)
    assert frame["text_1"][0] == "text 0 of sentence"
    assert set(frame["text_2"]) == {""}


def test_student_seed_is_configurable(add, examples, settings):
    runs = [add("exp1.0", TEACHER), add("exp2.0", STANDARD), add("exp3.2", STANDARD)]
    runs += [add("exp2.0", STANDARD, seed=1), add("exp3.2", INTERNAL, seed=1)]
    file = examples()
    assert len(cases(runs, "qqp", [file], settings)) == 0
    assert len(cases(runs, "qqp", [file], replace(settings, student_seed=1))) == 5


def test_draw_is_reproducible_and_depends_on_the_seed():
    frame = pd.DataFrame(0, index=range(100), columns=COLUMNS)
    frame = frame.assign(wrong=["internal", "standard"] * 50, index=range(100), task="rte")
    draws = {seed: draw({"rte": frame}, 3, seed)["index"].tolist() for seed in (*range(5), 0)}
    assert draws[0] == draw({"rte": frame}, 3, 0)["index"].tolist()
    assert len({tuple(drawn) for drawn in draws.values()}) == 5
    assert all(drawn[:3] == sorted(drawn[:3]) for drawn in draws.values())
    assert all(index % 2 == 0 for index in draws[0][:3])
    assert all(index % 2 == 1 for index in draws[0][3:])


def test_draw_of_a_task_does_not_depend_on_other_tasks():
    frame = pd.DataFrame(0, index=range(50), columns=COLUMNS)
    rte = frame.assign(wrong="internal", index=range(50), task="rte")
    qqp = rte.assign(task="qqp")
    both = draw({"qqp": qqp, "rte": rte}, 3, 0)
    alone = draw({"rte": rte}, 3, 0)
    assert both[both["task"] == "rte"]["index"].tolist() == alone["index"].tolist()
    assert both[both["task"] == "qqp"]["index"].tolist() != alone["index"].tolist()


def test_all_examples_are_shown_if_there_are_fewer_than_requested(runs, examples, settings):
    found = cases(runs, "qqp", [examples()], settings)
    assert draw({"qqp": found}, 10, 0)["index"].tolist() == [0, 1, 2, 3, 4]
    assert draw({"qqp": found}, 2, 0)["wrong"].tolist() == ["internal"] * 2 + ["standard"] * 2
    assert list(draw({"qqp": None}, 2, 0).columns) == COLUMNS


def test_markdown_as_written_by_hand(tmp_path, runs, examples, settings):
    lines = written(tmp_path, runs, [examples()], replace(settings, examples=9))
    assert lines[0].startswith("**Table 4. Development examples on which the teacher is right")
    titles = "| No. | Task | Development example | Class | Teacher | Standard KD | Internal KD |"
    assert lines[2] == titles
    text = "Q1: text {0} of question1 Q2: text {0} of question2"
    no, yes = "0 (0.1192)", "1 (0.8808)"
    assert lines[4:9] == [
        f"| 1 | QQP | {text.format(0)} | 0 | {no} | {no} | **{yes}** |",
        f"| 2 | QQP | {text.format(1)} | 1 | {yes} | {yes} | **{no}** |",
        f"| 3 | QQP | {text.format(2)} | 0 | {no} | {no} | **{yes}** |",
        f"| 4 | QQP | {text.format(3)} | 1 | {yes} | **{no}** | {yes} |",
        f"| 5 | QQP | {text.format(4)} | 1 | {yes} | **{no}** | {yes} |",
    ]
    expected = "QQP: internal KD alone is wrong on 3 (3 shown), standard KD alone is wrong on 2"
    assert f"{expected} (2 shown)." in lines
    assert lines[-1] == "Not the paper's numbers."


def test_tiny_probabilities(tmp_path, add, examples, settings):
    logits = np.array([[9.0, 0.0]] * len(LABELS), dtype=np.float32)  # 1 / (1 + e^9) = 1.23e-4
    sure = frame_of(np.array(LABELS), logits)
    runs = [add("exp1.0", LABELS), add("exp2.0", LABELS), add("exp3.2", [], validation=sure)]
    lines = written(tmp_path, runs, [examples()], settings)
    assert body(lines)[0].endswith("| **0 (1.2e-4)** |")


def test_single_sentence_stands_alone(tmp_path, add, examples, settings):
    models = (("exp1.0", TEACHER), ("exp2.0", STANDARD), ("exp3.2", INTERNAL))
    runs = [add(name, guesses, "cola") for name, guesses in models]
    file = examples("cola", ["sentence"], text="a | b\n c")
    lines = written(tmp_path, runs, [file], replace(settings, tasks=("cola",), examples=9))
    assert lines[4].startswith("| 1 | CoLA | a \\| b c 0 of sentence | 0 |")


def test_pairs_are_marked_by_their_columns(tmp_path, add, examples, settings):
    runs, files = [], []
    for task, columns in (("qnli", ("question", "sentence")), ("rte", ("sentence1", "sentence2"))):
        models = (("exp1.0", TEACHER), ("exp2.0", STANDARD), ("exp3.2", INTERNAL))
        runs += [add(name, guesses, task) for name, guesses in models]
        files.append(examples(task, columns))
    both = replace(settings, tasks=("qnli", "rte"), examples=9)
    lines = body(written(tmp_path, runs, files, both))
    assert "| Q: text 0 of question S: text 0 of sentence |" in lines[0]
    assert "| S1: text 0 of sentence1 S2: text 0 of sentence2 |" in lines[5]


def test_texts_wrap_in_latex(tmp_path, runs, examples, settings):
    written(tmp_path, runs, [examples(text="50 % of")], settings)
    text = (tmp_path / "table4.tex").read_text()
    assert r"\begin{tabular}{rlp{0.45\linewidth}rrrr}" in text
    assert r"50 \% of" in text
    assert r"\textbf{1 (0.8808)}" in text


def test_only_the_head_of_the_table_is_changed():
    assert len(LOOK) == 7
    latex = "\\begin{tabular}{rllrrrr} rllrrrr \\end{tabular}"
    assert wrapped(latex) == latex.replace("{rllrrrr}", "{rlp{0.45\\linewidth}rrrr}")


def test_absence_of_examples_is_reported(tmp_path, add, examples, settings):
    runs = [add("exp1.0", TEACHER), add("exp2.0", TEACHER), add("exp3.2", TEACHER)]
    lines = written(tmp_path, runs, [examples()], settings)
    assert body(lines) == []
    expected = "QQP: internal KD alone is wrong on none (0 shown), standard KD alone is wrong on"
    assert f"{expected} none (0 shown)." in lines
    assert list(pd.read_csv(tmp_path / "table4.csv").columns) == COLUMNS


@pytest.mark.parametrize("kept", [[], [0], [0, 1], [1, 2]])
def test_missing_runs_are_reported(tmp_path, runs, settings, kept):
    lines = written(tmp_path, [runs[i] for i in kept], [], settings)
    assert "QQP: no examples, a run of the teacher or of a student is missing." in lines
    assert pd.read_csv(tmp_path / "table4.csv").empty


def test_single_class_predictions_are_reported(tmp_path, add, examples, settings):
    runs = [add("exp1.0", TEACHER), add("exp2.0", STANDARD)]
    runs.append(add("exp3.2", [1] * 8, flags=["one_class"]))
    lines = written(tmp_path, runs, [examples()], settings)
    assert "Exp3.2 on QQP: at least one run always predicts the same class." in lines


def test_texts_of_other_examples_are_refused(runs, examples, settings):
    file = examples(labels=[1, *LABELS[1:]])
    with pytest.raises(UserError, match="development predictions are not of the examples of qqp"):
        cases(runs, "qqp", [file], settings)


def test_other_examples_of_a_student_are_refused(add, examples, settings):
    runs = [add("exp1.0", TEACHER), add("exp2.0", STANDARD)]
    runs.append(add("exp3.2", [], validation=predicted([0, 1], [0, 1])))
    with pytest.raises(UserError, match="development examples are not those of"):
        cases(runs, "qqp", [examples()], settings)


def test_job(tmp_path, runs, examples, settings):
    folders = [str(run.folder) for run in runs]
    assert len(read_run_folders(folders, GLUE)) == 3
    out = tmp_path / "out.csv"
    arguments = ["--runs", *folders]
    arguments += ["--examples", str(examples()), "--out", str(out)]
    write_product("table4:write_table4", settings, *arguments)
    assert pd.read_csv(out)["wrong"].tolist() == ["internal"] * 2 + ["standard"] * 2
    assert out.with_suffix(".md").is_file()
    assert out.with_suffix(".tex").is_file()


def test_the_heads_of_both_students_are_named(tmp_path, runs, examples, settings) -> None:
    lines = written(tmp_path, runs, [examples()], settings)
    (line,) = [line for line in lines if "Teacher: " in line]
    plain = line.replace("\\", "")
    assert "Teacher: Exp1.0 (BERT_base);" in plain
    assert "standard KD: Exp2.0 (BERT_6 soft, head: random);" in plain
    assert "internal KD: Exp3.2 (BERT_6 soft + kl + cos, head: teacher's);" in plain
