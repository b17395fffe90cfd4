import fcntl
import os
import shutil
from pathlib import Path

import pytest

from internal_kd.distillation.finished import FinishedRun
from internal_kd.distillation.run import run_resumable

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
    return tmp_path / "out"


@pytest.fixture
def kept(tmp_path) -> FinishedRun:
    finished = FinishedRun(tmp_path / "run.finished", "identity")
    with finished.writing() as files:
        write_files(files)
    return finished


def test_outputs_have_all_files_of_the_run_and_no_other(kept, out):
    assert kept.restore(out)
    assert files_of(out) == FILES


def test_a_run_starts_without_files_of_a_killed_one(tmp_path):
    finished = FinishedRun(tmp_path / "run.finished", "identity")
    (tmp_path / "run.finished.partial").mkdir()
    (tmp_path / "run.finished.partial/half").touch()
    with finished.writing() as files:
        write_files(files)
    finished.put(tmp_path / "out")
    assert files_of(tmp_path / "out") == FILES


def test_deleted_outputs_are_restored(kept, out):
    kept.put(out)
    shutil.rmtree(out)
    assert kept.restore(out)
    assert files_of(out) == FILES


def test_files_are_kept_without_taking_space(kept, out):
    name = "model/model.safetensors"
    kept.put(out)
    assert (kept.folder / name).samefile(out / name)


def test_files_are_copied_where_there_are_no_hard_links(kept, out, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    assert kept.restore(out)
    assert files_of(out) == FILES


def test_partial_outputs_are_replaced(kept, out):
    out.mkdir()
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


def test_a_full_disk_does_not_fail_the_training(kept, out, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.link", full)
        patched.setattr("shutil.copyfile", full)
        with pytest.raises(OSError, match="No space left"):
            kept.restore(out)
    assert kept.restore(out)
    assert files_of(out) == FILES


def test_a_failed_run_removes_its_files(tmp_path):
    finished = FinishedRun(tmp_path / "run.finished", "identity")

    def fail(files: Path) -> None:
        write_files(files)
        raise RuntimeError

    with pytest.raises(RuntimeError), finished.writing() as files:
        fail(files)
    assert list(tmp_path.iterdir()) == []


def test_outputs_deleted_while_being_linked_are_restored(kept, out, monkeypatch):
    """A Snakemake that starts a job again deletes what a job that outlived its own has written."""
    link, deleted = os.link, []

    def link_after_deletion(source: str, target: str) -> None:
        if not deleted:
            deleted.append(target)
            shutil.rmtree(out)
        link(source, target)

    monkeypatch.setattr("os.link", link_after_deletion)
    assert kept.restore(out)
    assert deleted
    assert files_of(out) == FILES


def test_outputs_appear_once_all_files_are_there_and_are_recorded_under_the_lock(tmp_path, out):
    """A Snakemake that starts the job again deletes outputs that it finds: there are none yet."""
    lock, recorded = tmp_path / "run.lock", []

    def train(files: Path, _: object) -> None:
        write_files(files)
        assert not out.exists()

    def record() -> None:
        recorded.append(files_of(out))
        with open(lock) as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)

    for _ in range(2):
        run_resumable(tmp_path / "run", out, "settings", "code", [], train, record)
        shutil.rmtree(out)
    assert recorded == [FILES, FILES]
