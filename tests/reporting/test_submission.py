import re
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from internal_kd.errors import UserError
from internal_kd.reporting.submission import FILES, write_submissions
from internal_kd.specs.reports import Row
from internal_kd.specs.tables import SubmissionSettings
from internal_kd.study.glue import GLUE
from tests.reporting.answers import answers, predicted, unlabelled
from tests.reporting.fake_runs import write_fake_run
from tests.reporting.product import write_product

ALLOWED = {
    "CoLA": "01",
    "SST-2": "01",
    "MRPC": "01",
    "QQP": "01",
    "WNLI": "01",
    "QNLI": ("entailment", "not_entailment"),
    "RTE": ("entailment", "not_entailment"),
    "MNLI-m": ("entailment", "neutral", "contradiction"),
    "MNLI-mm": ("entailment", "neutral", "contradiction"),
    "AX": ("entailment", "neutral", "contradiction"),
}
SIZES = {file.name: file.rows for file in FILES}
ZIPS = ("glue_submission.zip", "glue_submission_exp2.0.zip", "glue_submission_exp1.0.zip")
SETTINGS = SubmissionSettings(
    task_specs=GLUE,
    study="small",
    note="Not the paper's numbers.",
    tasks=("cola", "rte"),
    teacher=Row("exp1.0", "BERT_base"),
    standard=Row("exp2.0", "BERT_6 soft"),
    candidates=(
        Row("exp3.0", "BERT_6 soft + kl"),
        Row("exp3.4", "BERT_6 [SID] kl + cos -> soft"),
    ),
    official=False,
)


@pytest.fixture
def settings():
    return SETTINGS


@pytest.fixture
def add(tmp_path):
    """Write a run with so many right development answers and these test predictions."""

    def write(experiment, seed, right, guesses, task="rte", **more):
        test = None if guesses is None else unlabelled(guesses)
        frames = {"validation": answers(right), "test": test}
        return write_fake_run(tmp_path / "results", task, experiment, seed=seed, **frames | more)

    return write


@pytest.fixture
def examples(tmp_path):
    """Write the examples of a task's test split with these idx."""

    def write(idx, task="rte"):
        path = tmp_path / "results" / "data" / task / "examples.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = pd.DataFrame({"split": "test", "index": np.arange(len(idx)), "idx": idx})
        train = pd.DataFrame({"split": ["train"], "index": [0], "idx": [0]})
        pd.concat([train, rows]).assign(sentence1="a", label=-1).to_parquet(path)
        return path

    return write


@pytest.fixture
def send(tmp_path, settings):
    """Write the submissions and give the page."""

    def write(runs, files, **changed):
        out = tmp_path / "glue_submission.zip"
        write_submissions([run.folder for run in runs], files, replace(settings, **changed), out)
        return out.with_suffix(".md").read_text()

    return write


@pytest.fixture
def read(tmp_path):
    """The predictions in a file of a zip."""

    def predictions(member, name="glue_submission.zip"):
        with zipfile.ZipFile(tmp_path / name) as archive:
            lines = archive.read(member).decode().splitlines()
        return [line.split("\t")[1] for line in lines[1:]]

    return predictions


def lines_about(page, member):
    return [line for line in page.splitlines() if line.startswith(f"| {member} ")]


def full(first, rows, rest=0):
    """Predictions of a whole test split: these, then always the same."""
    return [*first, *([rest] * (rows - len(first)))]


def test_format_of_complete_submissions(tmp_path, add, examples, send):
    """The server's rules: names, header, number and order of rows, strings of labels."""
    files = [examples(np.arange(1063), "cola"), examples(np.arange(3000))]
    rng = np.random.default_rng(0)
    runs = [
        add(name, 0, 8, rng.integers(0, 2, rows).tolist(), task)
        for name in ("exp1.0", "exp2.0", "exp3.0")
        for task, rows in (("cola", 1063), ("rte", 3000))
    ]
    page = send(runs, files, official=True)
    for name in ZIPS:
        with zipfile.ZipFile(tmp_path / name) as archive:
            texts = {member: archive.read(member).decode() for member in archive.namelist()}
        assert set(texts) == set(SIZES)
        for member, text in texts.items():
            _check_file(member.removesuffix(".tsv"), text, SIZES[member])
    assert page.count("For the server; scores that count: CoLA.tsv, RTE.tsv.") == 3


def _check_file(name, text, rows):
    header, *lines = text.split("\n")
    assert header == "index\tprediction"
    assert lines.pop() == ""  # the last line ends too
    cells = [line.split("\t") for line in lines]
    assert [index for index, _ in cells] == [str(i) for i in range(rows)]
    predictions = {prediction for _, prediction in cells}
    if name == "STS-B":
        assert all(re.fullmatch(r"[0-4]\.\d{3}|5\.000", found) for found in predictions)
    else:
        assert predictions <= set(ALLOWED[name])


def test_classes_become_words(add, examples, send, read):
    send([add("exp2.0", 0, 8, [0, 1, 1])], [examples([0, 1, 2])])
    found = read("RTE.tsv", "glue_submission_exp2.0.zip")
    assert found == ["entailment", "not_entailment", "not_entailment"]


def test_classes_stay_numbers_where_the_server_expects_numbers(add, examples, send, read):
    send([add("exp2.0", 0, 8, [0, 1, 1], "cola")], [examples([0, 1, 2], "cola")])
    assert read("CoLA.tsv", "glue_submission_exp2.0.zip") == ["0", "1", "1"]


def test_rows_follow_glues_index(add, examples, send, read):
    send([add("exp2.0", 0, 8, [0, 0, 1], "cola")], [examples([1, 2, 0], "cola")])
    assert read("CoLA.tsv", "glue_submission_exp2.0.zip") == ["1", "0", "0"]


def test_best_experiment_and_its_best_seed(add, examples, send, read):
    runs = [
        add("exp3.0", 0, 9, [0, 0]),  # the best seed of all, but not of the best experiment
        add("exp3.0", 1, 1, [0, 0]),
        add("exp3.4", 0, 6, [0, 1]),
        add("exp3.4", 1, 8, [1, 1]),
    ]
    page = send(runs, [examples([0, 1])])
    assert read("RTE.tsv") == ["not_entailment", "not_entailment"]
    assert lines_about(page, "RTE.tsv")[0] == "| RTE.tsv | exp3.4 | 1 | Acc. 80.0 | 2 | 3000 |  |"


def test_test_labels_are_not_used(add, examples, send, read):
    """Labels of the test split, where known, neither choose a seed nor reach the file."""
    runs = [
        add("exp2.0", 0, 9, None, "cola", test=predicted([1, 1], [0, 0])),
        add("exp2.0", 1, 8, None, "cola", test=predicted([1, 1], [1, 1])),
    ]
    send(runs, [examples([0, 1], "cola")])
    assert read("CoLA.tsv", "glue_submission_exp2.0.zip") == ["0", "0"]


def test_each_row_of_table_2_has_its_submission(add, examples, send, read):
    runs = [add("exp1.0", 0, 9, [0, 0]), add("exp2.0", 0, 8, [1, 1]), add("exp3.0", 0, 8, [0, 1])]
    page = send(runs, [examples([0, 1])])
    assert [read("RTE.tsv", name).count("entailment") for name in ZIPS] == [1, 0, 2]
    titles = re.findall(r"\*\*(glue\S+zip)\. (.*)\*\*", page.replace("\\", ""))
    assert titles == [
        (ZIPS[0], "Best internal distillation on each task."),
        (ZIPS[1], "BERT_6 soft."),
        (ZIPS[2], "BERT_base."),
    ]


def test_page_lists_placeholder_files(add, examples, send, read):
    page = send([add("exp2.0", 0, 8, None)], [examples([])])
    assert lines_about(page, "RTE.tsv") == [
        "| RTE.tsv | – | – | – | 3000 | 3000 | placeholder: no run |",
        "| RTE.tsv | – | – | – | 3000 | 3000 | placeholder: the data have no test split |",
        "| RTE.tsv | – | – | – | 3000 | 3000 | placeholder: no run |",
    ]
    assert "placeholder: task not in the study" in lines_about(page, "QQP.tsv")[0]
    assert read("RTE.tsv") == ["entailment"] * 3000
    assert "Not the paper's numbers." in page
    assert "STS-B: 0.000 to 5.000 in turn" in page


def test_data_that_are_not_glues_are_not_for_the_server(add, examples, send):
    page = send([add("exp2.0", 0, 8, [0, 1])], [examples([0, 1])])
    assert page.count("Not for the server: the data are not GLUE's.") == 3
    assert "| 2 | 3000 |" in lines_about(page, "RTE.tsv")[1]


def test_placeholders_alone_are_not_for_the_server(send):
    assert send([], [], official=True).count("Not for the server: placeholders only.") == 3


def test_flagged_run_is_reported(add, examples, send):
    run = add("exp2.0", 0, 8, [0, 0], flags=["one_class"])
    page = send([run], [examples([0, 1])])
    assert "always predicts the same class" in lines_about(page, "RTE.tsv")[1]


def test_same_bytes_every_time(tmp_path, add, examples, send):
    runs, files = [add("exp3.0", 0, 8, [0, 1])], [examples([0, 1])]
    found = []
    for _ in range(2):
        send(runs, files)
        found.append((tmp_path / "glue_submission.zip").read_bytes())
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("idx", "remark"),
    [
        ([0, 1], "placeholder: 2 test examples where GLUE has 3000"),
        ([*range(2999), 5000], "placeholder: idx of the test split is not 0 to 2999"),
        (range(1, 3001), "placeholder: idx of the test split is not 0 to 2999"),
        ([0] * 3000, "placeholder: idx of the test split is not 0 to 2999"),
    ],
)
def test_a_test_split_that_is_not_glues_is_excluded(add, examples, send, read, idx, remark):
    """As that of somebody's own data in GLUE's form."""
    page = send([add("exp2.0", 0, 8, full([1], len(idx)))], [examples(idx)], official=True)
    assert remark in lines_about(page, "RTE.tsv")[1]
    assert read("RTE.tsv", ZIPS[1]) == ["entailment"] * 3000
    assert page.count("Not for the server: placeholders only.") == 3


def test_other_data_without_glues_index_keep_their_order(add, examples, send, read):
    page = send([add("exp2.0", 0, 8, [0, 1, 1], "cola")], [examples([7, 3, 9], "cola")])
    assert read("CoLA.tsv", ZIPS[1]) == ["0", "1", "1"]
    assert "rows in the order of the data" in lines_about(page, "CoLA.tsv")[1]


def test_predictions_of_other_examples_are_refused(add, examples, send):
    with pytest.raises(UserError, match="test predictions are not of the examples of rte"):
        send([add("exp2.0", 0, 8, [0, 1, 1])], [examples([0, 1])])


def test_examples_of_every_task_are_needed(add, examples, send):
    with pytest.raises(UserError, match="0 files for task rte"):
        send([add("exp2.0", 0, 8, [0, 1])], [examples([0, 1], "cola")])


def test_job(tmp_path, add, examples, settings):
    run, file = add("exp3.4", 0, 8, [0, 1]), examples([0, 1])
    out = tmp_path / "out" / "sent.zip"
    out.parent.mkdir()
    arguments = ["--runs", str(run.folder)]
    arguments += ["--examples", str(file), "--out", str(out)]
    write_product("submission:write_submissions", settings, *arguments)
    expected = ["sent.md", "sent.zip", "sent_exp1.0.zip", "sent_exp2.0.zip"]
    assert sorted(path.name for path in out.parent.iterdir()) == expected


def test_stage_reports_a_mistake_in_one_sentence(tmp_path, add, examples, settings, capsys):
    run, file = add("exp3.4", 0, 8, [0, 1]), examples([0, 1, 2])
    arguments = ["--runs", str(run.folder), "--examples", str(file)]
    arguments += ["--out", str(tmp_path / "sent.zip")]
    with pytest.raises(SystemExit) as stop:
        write_product("submission:write_submissions", settings, *arguments)
    assert stop.value.code == 2
    assert "its test predictions are not of the examples of rte" in capsys.readouterr().err


@pytest.mark.parametrize("task", ["cola", "mrpc", "qnli", "rte"])
def test_glues_own_test_splits(shared, tmp_path, add, send, read, task):
    """The complete test splits of GLUE pass the checks of an official study."""
    test = pd.read_parquet(shared / "glue" / task / "test.parquet")
    path = tmp_path / task / "examples.parquet"
    path.parent.mkdir()
    frame = test.assign(split="test", index=np.arange(len(test)))
    frame.to_parquet(path)
    guesses = full([1, 0, 1], len(test))
    page = send([add("exp1.0", 0, 8, guesses, task)], [path], tasks=[task], official=True)
    (member,) = [file.name for file in FILES if file.task == task]
    found = read(member, ZIPS[2])
    assert len(found) == len(test)
    assert found[0] == found[2] != found[1]
    assert f"scores that count: {member}." in page
