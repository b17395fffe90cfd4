import shutil
from pathlib import Path

import pytest

from internal_kd.distillation.finished import FinishedRun

FILES = {"metrics.json": "{}", "model/model.safetensors": "weights"}


def write_files(out: Path) -> None:
    for name, text in FILES.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text)


def files_of(out: Path) -> dict[str, str]:
    files = (path for path in out.rglob("*") if path.is_file())
    return {str(path.relative_to(out)): path.read_text() for path in files}


@pytest.fixture
def out(tmp_path) -> Path:
    write_files(tmp_path / "out")
    return tmp_path / "out"


@pytest.fixture
def kept(tmp_path, out) -> FinishedRun:
    finished = FinishedRun(tmp_path / "run.finished", "identity")
    finished.keep(out)
    return finished


def test_deleted_outputs_come_back(kept, out):
    shutil.rmtree(out)
    assert kept.restore(out)
    assert files_of(out) == FILES


def test_files_are_kept_without_taking_space(kept, out):
    name = "model/model.safetensors"
    assert (kept.folder / name).samefile(out / name)


def test_files_are_copied_where_there_are_no_hard_links(tmp_path, out, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    finished = FinishedRun(tmp_path / "run.finished", "identity")
    finished.keep(out)
    shutil.rmtree(out)
    assert finished.restore(out)
    assert files_of(out) == FILES


def test_outputs_that_are_left_in_part_are_replaced(kept, out):
    (out / "metrics.json").unlink()
    (out / "metrics.json").write_text("half")
    assert kept.restore(out)
    assert files_of(out) == FILES


def test_files_of_another_run_are_not_used(kept, tmp_path):
    other = FinishedRun(kept.folder, "another identity")
    assert not other.restore(tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert not kept.folder.exists()


def test_damaged_files_are_not_used(kept, tmp_path, caplog):
    file = kept.folder / "model/model.safetensors"
    file.unlink()
    file.write_text("weight")
    assert not kept.restore(tmp_path / "new")
    assert "damaged" in caplog.text


def test_without_a_record_there_is_nothing_to_restore(kept, tmp_path):
    (kept.folder / "finished.json").unlink()
    assert not kept.restore(tmp_path / "new")
    assert not kept.folder.exists()


def test_a_full_disk_stops_nothing(tmp_path, out, monkeypatch, caplog):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copytree", full)
    FinishedRun(tmp_path / "run.finished", "identity").keep(out)
    assert "not kept a second time: No space left on device" in caplog.text
    assert not (tmp_path / "run.finished").exists()
