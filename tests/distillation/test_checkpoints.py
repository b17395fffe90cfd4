import logging
import os

import pytest
import torch

from internal_kd.distillation.checkpoints import Checkpoints, run_identity

CPU = torch.device("cpu")
STATE = {"epoch": 2, "weights": torch.arange(3.0), "history": [{"loss": 0.5, "stage": "output"}]}


@pytest.fixture
def checkpoints(tmp_path):
    return Checkpoints(tmp_path / "run", "me", minutes=10)


def file_of(checkpoints):
    (file,) = checkpoints.folder.iterdir()
    return file


def test_a_saved_checkpoint_is_loaded(checkpoints):
    checkpoints.save(STATE)
    loaded = checkpoints.load(CPU)
    assert loaded["epoch"] == 2
    assert loaded["history"] == STATE["history"]
    assert torch.equal(loaded["weights"], STATE["weights"])


def test_nothing_is_loaded_without_a_checkpoint(checkpoints):
    assert checkpoints.load(CPU) is None


def test_only_the_newest_is_kept(checkpoints):
    checkpoints.save(STATE)
    checkpoints.save({**STATE, "epoch": 3})
    assert len(list(checkpoints.folder.iterdir())) == 1
    assert checkpoints.load(CPU)["epoch"] == 3


@pytest.mark.parametrize("position", [0, 100, -1])
def test_a_flipped_byte_is_detected_and_reported(checkpoints, caplog, position):
    checkpoints.save(STATE)
    file = file_of(checkpoints)
    data = bytearray(file.read_bytes())
    data[position] ^= 1
    file.write_bytes(data)
    assert checkpoints.load(CPU) is None
    assert "damaged" in caplog.text
    assert file.name in caplog.text


@pytest.mark.parametrize("size", [0, 10, -1])
def test_a_truncated_file_is_detected_and_reported(checkpoints, caplog, size):
    checkpoints.save(STATE)
    file = file_of(checkpoints)
    file.write_bytes(file.read_bytes()[:size])
    assert checkpoints.load(CPU) is None
    assert "damaged" in caplog.text


def test_the_previous_checkpoint_is_used_if_the_newest_is_damaged(checkpoints):
    checkpoints.save(STATE)
    whole = file_of(checkpoints).read_bytes()
    name = file_of(checkpoints).name
    checkpoints.save({**STATE, "epoch": 3})
    file_of(checkpoints).write_bytes(b"")
    (checkpoints.folder / name).write_bytes(whole)
    os.utime(checkpoints.folder / name, (0, 0))
    assert checkpoints.load(CPU)["epoch"] == 2


def test_an_interrupted_write_keeps_the_previous_checkpoint(checkpoints):
    checkpoints.save(STATE)
    (checkpoints.folder / "partial").write_bytes(b"half")
    assert checkpoints.load(CPU)["epoch"] == 2


def test_a_checkpoint_of_another_run_is_reported_and_ignored(checkpoints, caplog):
    checkpoints.save(STATE)
    assert Checkpoints(checkpoints.folder, "somebody else").load(CPU) is None
    assert "another config" in caplog.text


def test_a_full_disk_is_reported_and_training_continues(tmp_path, caplog):
    (tmp_path / "file").touch()
    Checkpoints(tmp_path / "file" / "run", "me").save(STATE)
    assert "no checkpoint written" in caplog.text


def test_inside_an_epoch_checkpoints_keep_their_interval(tmp_path):
    assert Checkpoints(tmp_path, "me", minutes=0).due(epoch_ended=False)
    assert not Checkpoints(tmp_path, "me", minutes=10).due(epoch_ended=False)
    assert Checkpoints(tmp_path, "me", minutes=10).due(epoch_ended=True)


def test_the_interval_is_read_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("INTERNAL_KD_CHECKPOINT_MINUTES", "0")
    assert Checkpoints(tmp_path, "me").due(epoch_ended=False)


def test_identity_depends_on_settings_and_on_input_contents(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights").write_text("1")
    (tmp_path / "tokens").write_text("2")
    inputs = [folder, tmp_path / "tokens"]
    before = run_identity({"seed": 0}, inputs)
    assert run_identity({"seed": 0}, inputs) == before
    assert run_identity({"seed": 1}, inputs) != before
    (folder / "weights").write_text("3")
    assert run_identity({"seed": 0}, inputs) != before


def test_loading_an_intact_checkpoint_logs_nothing(checkpoints, caplog):
    caplog.set_level(logging.WARNING)
    checkpoints.save(STATE)
    checkpoints.load(CPU)
    assert not caplog.text
