import zipfile

import pytest

from internal_kd.reporting.submission import FILES, placeholder, tsv, write_zip
from internal_kd.study.glue import GLUE

SIZES = {
    "AX.tsv": 1104,
    "CoLA.tsv": 1063,
    "MNLI-m.tsv": 9796,
    "MNLI-mm.tsv": 9847,
    "MRPC.tsv": 1725,
    "QNLI.tsv": 5463,
    "QQP.tsv": 390_965,
    "RTE.tsv": 3000,
    "SST-2.tsv": 1821,
    "STS-B.tsv": 1379,
    "WNLI.tsv": 146,
}


def test_eleven_files():
    assert {file.name: file.rows for file in FILES} == SIZES


def test_every_task_of_the_project_has_a_file():
    names = {file.task: file.name for file in FILES if file.task}
    assert names == {name: f"{task.title}.tsv" for name, task in GLUE.items()}


@pytest.mark.parametrize("task", ["qnli", "rte"])
def test_classes_are_named_as_in_the_data(task):
    """The server reads words for these tasks; class 0 must be the one that the data call 0."""
    (file,) = [file for file in FILES if file.task == task]
    assert file.labels == GLUE[task].labels == ("entailment", "not_entailment")


def test_placeholders_predict_the_first_label():
    by_name = {file.name: placeholder(file) for file in FILES}
    assert {len(by_name[file.name]) == file.rows for file in FILES} == {True}
    assert set(by_name["WNLI.tsv"]) == {"0"}
    assert set(by_name["QNLI.tsv"]) == set(by_name["AX.tsv"]) == {"entailment"}


def test_placeholder_of_similarities_is_not_constant():
    found = placeholder(next(file for file in FILES if file.name == "STS-B.tsv"))
    assert found[:7] == ["0.000", "1.000", "2.000", "3.000", "4.000", "5.000", "0.000"]


def test_lines_of_a_file():
    text = tsv(["entailment", "not_entailment"])
    assert text == "index\tprediction\n0\tentailment\n1\tnot_entailment\n"


def test_equal_texts_are_equal_bytes(tmp_path):
    for name in ("a.zip", "b.zip"):
        write_zip(tmp_path / name, {"CoLA.tsv": tsv(["0", "1"]), "AX.tsv": tsv(["neutral"])})
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == ["CoLA.tsv", "AX.tsv"]
        assert archive.read("CoLA.tsv").decode() == "index\tprediction\n0\t0\n1\t1\n"
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
