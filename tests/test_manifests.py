"""Records of jobs: what they contain, and which later changes they detect."""

import json
import os
from pathlib import Path

import pytest

from internal_kd import manifests
from internal_kd.errors import UserError
from internal_kd.manifests import (
    check_files,
    hashes,
    is_untouched,
    read_by,
    read_manifest,
    state_of,
    write_manifest,
    written_by,
)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two files that a job wrote from a third, with their record."""
    made = tmp_path / "study/run"
    (made / "model").mkdir(parents=True)
    (made / "scores.json").write_text("{}")
    (made / "model/weights").write_bytes(bytes(range(200)))
    (tmp_path / "study/data").write_text("texts")
    read = hashes([tmp_path / "study/data"])
    write_manifest(made / "manifest.json", [made], read, settings={"seed": 1}, code="abc")
    return made


def check(folder: Path, **options: bool) -> None:
    path = folder / "manifest.json"
    check_files(path, read_manifest(path), **options)


def test_manifest_records_settings_code_versions_inputs_and_files(folder):
    found = read_manifest(folder / "manifest.json")
    assert found.settings == {"seed": 1}
    assert found.code == "abc"
    assert set(found.versions) == {"python", "torch", "transformers"}
    assert set(found.files) == {"scores.json", "model/weights"}
    assert set(found.inputs) == {"../data"}
    check(folder)


def test_paths_are_relative_to_the_folder(folder, tmp_path):
    moved = (folder.parent).rename(tmp_path / "elsewhere") / "run"
    check(moved)
    found = read_manifest(moved / "manifest.json")
    assert {path for path, _ in read_by(moved / "manifest.json", found)} == {moved.parent / "data"}
    written = {path for path, _ in written_by(moved / "manifest.json", found)}
    assert written == {moved / "scores.json", moved / "model/weights"}


def test_a_manifest_does_not_list_itself(folder):
    write_manifest(folder / "manifest.json", [folder], {}, settings={}, code=None)
    assert "manifest.json" not in read_manifest(folder / "manifest.json").files
    assert folder / "manifest.json" not in hashes([folder])


@pytest.mark.parametrize("content", [b"[]", b"{} ", b"", b"{x"])
def test_changed_content_is_rejected_regardless_of_its_time(folder, content):
    file = folder / "scores.json"
    times = file.stat()
    file.write_bytes(content)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(UserError, match=r"scores\.json was changed after it was written"):
        check(folder)


def test_unchanged_content_with_another_time_is_accepted(folder):
    os.utime(folder / "scores.json", (1, 1))
    check(folder)
    assert is_untouched(folder / "manifest.json", read_manifest(folder / "manifest.json"))


def test_large_files_are_read_again_only_if_size_or_time_have_changed(folder, monkeypatch):
    monkeypatch.setattr(manifests, "ALWAYS_READ", 100)
    file = folder / "model/weights"
    times = file.stat()
    file.write_bytes(bytes(200))
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    check(folder)
    os.utime(file, (1, 1))
    with pytest.raises(UserError, match="weights was changed"):
        check(folder)


def test_a_missing_file_counts_where_all_should_be_there(folder):
    (folder / "model/weights").unlink()
    with pytest.raises(UserError, match="weights is missing"):
        check(folder)
    check(folder, all_there=False)
    assert not is_untouched(folder / "manifest.json", read_manifest(folder / "manifest.json"))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 3}', '{"files": {"a": 1}}', "\x00"])
def test_a_damaged_manifest_is_named(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(UserError, match=r"manifest\.json: not the record of a job; delete"):
        read_manifest(tmp_path / "manifest.json")


def test_an_absent_manifest_is_named(tmp_path):
    with pytest.raises(UserError, match=r"manifest\.json is missing"):
        read_manifest(tmp_path / "manifest.json")


@pytest.mark.parametrize("change", ["content", "time", "loss", "manifest"])
def test_the_state_shows_every_change(folder, change):
    path = folder / "manifest.json"

    def state() -> str:
        manifests._state.cache_clear()
        return state_of([path])

    before = state()
    assert state() == before
    file = folder / "scores.json"
    match change:
        case "content":
            file.write_text("{ }")
        case "time":
            os.utime(file, (1, 1))
        case "loss":
            file.unlink()
        case "manifest":
            path.write_text(json.dumps(json.loads(path.read_text()), indent=3))
    assert state() != before
