"""When the files of what tables should be made from are written."""

from pathlib import Path

import pytest

from internal_kd.study.expectations import ExpectationFiles, Expected

JOB = {"settings": {}, "code": "0"}


def files_of(results: Path, executes: bool = True, dry: bool = False) -> ExpectationFiles:
    return ExpectationFiles(str(results), lambda: executes, lambda: dry)


@pytest.mark.parametrize(("executes", "dry"), [(False, False), (True, True)])
def test_who_makes_nothing_writes_nothing(tmp_path, executes, dry):
    assert files_of(tmp_path, executes, dry).file("table1", JOB, Expected()) == []
    assert not list(tmp_path.iterdir())


def test_a_file_is_written_once_in_a_process(tmp_path):
    files = files_of(tmp_path)
    path = Path(str(files.file("table1", JOB, Expected())))
    assert path == tmp_path / "provenance/table1/expected.json"
    before = path.read_text()
    assert files.file("table1", JOB | {"code": "1"}, Expected()) == str(path)
    assert path.read_text() == before
    files_of(tmp_path).file("table1", JOB | {"code": "1"}, Expected())
    assert path.read_text() != before


def test_a_dry_run_changes_a_file_that_is_there(tmp_path):
    path = Path(str(files_of(tmp_path).file("table1", JOB, Expected())))
    before = path.read_text()
    files_of(tmp_path, dry=True).file("table1", JOB | {"code": "1"}, Expected())
    assert path.read_text() != before


def test_its_manifest_lies_beside_it(tmp_path):
    assert files_of(tmp_path).record("table1") == f"{tmp_path}/provenance/table1/manifest.json"
