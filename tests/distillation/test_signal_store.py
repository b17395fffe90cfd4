"""Stores of signals are made once, shared, whole or not there, and damage is noticed."""

import errno
import json
import logging
import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from internal_kd.data.batches import assemble
from internal_kd.distillation import signal_source as signal_source_module
from internal_kd.distillation import signal_store
from internal_kd.distillation.signal_source import (
    SignalOptions,
    StoredSignals,
    TeacherOfSplit,
    describe_signals,
    signal_source,
)
from internal_kd.distillation.signals import LiveSignals, SignalRequest
from internal_kd.errors import UserError
from internal_kd.manifests import LiveTeacher, SignalStores
from internal_kd.models.capture import FrozenTeacher
from tests.conftest import ROOT
from tests.distillation.splits import tiny_split
from tests.models.tiny import tiny_model

EVERYTHING = SignalRequest(True, {1: 2, 2: 4}, ("cls", "attention"))
SPLIT = tiny_split(40)
TARGET = re.compile("logits|cls_2-4|attention_2-4_fp32")
WRITES = "signals of the teacher: writing"


class Counting(FrozenTeacher):
    """A teacher that counts its passes."""

    passes = 0

    def forward(self, *args, **named):
        """See `FrozenTeacher`."""
        self.passes += 1
        return super().forward(*args, **named)


@pytest.fixture
def teacher(tmp_path) -> TeacherOfSplit:
    model = tiny_model()
    model.save_pretrained(tmp_path / "teacher")
    counting = Counting(model)
    return TeacherOfSplit(
        lambda: counting, model.config, tmp_path / "teacher", SPLIT, 0, torch.device("cpu")
    )


@pytest.fixture
def options(tmp_path) -> SignalOptions:
    return SignalOptions("stored", folder=tmp_path / "signals")


def files_in(options: SignalOptions) -> dict[str, Path]:
    """Files of the stores by target and name."""
    files = sorted(options.folder.glob("*/*/*"))
    return {f"{TARGET.match(file.parent.name)[0]}/{file.name}": file for file in files}


def test_a_student_of_stored_signals_needs_no_teacher_in_memory(teacher, options) -> None:
    signal_source(teacher, EVERYTHING, options)

    def load():
        raise AssertionError("the teacher is loaded although all its signals are stored")

    without = replace(teacher, load=load)
    found = describe_signals(signal_source(without, EVERYTHING, options))
    assert isinstance(found, SignalStores)
    with pytest.raises(AssertionError):
        signal_source(without, EVERYTHING, SignalOptions("live"))


def test_one_pass_serves_all_runs(teacher, options) -> None:
    first = signal_source(teacher, EVERYTHING, options)
    assert teacher.load().passes == 1
    second = signal_source(teacher, EVERYTHING, options)
    attention = SignalRequest(matched={1: 2, 2: 4}, targets=("attention",))
    part = signal_source(teacher, attention, options)
    assert teacher.load().passes == 1
    assert describe_signals(first) == describe_signals(second)
    assert set(describe_signals(part).stores) == {"attention_2-4_fp32"}
    batch = assemble(SPLIT, np.array([3, 1, 38]), 0)
    assert torch.equal(
        first(batch, (1, 2), True).fields["attention"],
        part(batch, (1, 2), False).fields["attention"],
    )


def test_only_what_is_missing_is_written(teacher, options, caplog) -> None:
    signal_source(teacher, SignalRequest(logits=True), options)
    with caplog.at_level(logging.INFO):
        signal_source(teacher, EVERYTHING, options)
    assert f"{WRITES} cls_2-4, attention_2-4_fp32" in caplog.text
    whole = signal_source(teacher, EVERYTHING, options)
    assert teacher.load().passes == 2
    assert set(describe_signals(whole).stores) == {"logits", "cls_2-4", "attention_2-4_fp32"}


@pytest.mark.parametrize("name", ["logits/logits.bin", "attention_2-4_fp32/entropy.bin"])
@pytest.mark.parametrize("damage", ["byte", "cut", "gone", "record"])
def test_a_damaged_store_is_written_again(teacher, options, name, damage, caplog) -> None:
    before = describe_signals(signal_source(teacher, EVERYTHING, options))
    file = files_in(options)[name]
    content = bytearray(file.read_bytes())
    if damage == "byte":
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    elif damage == "cut":
        file.write_bytes(content[:-1])
    elif damage == "gone":
        file.unlink()
    else:
        (file.parent / "store.json").write_text("{}")
    assert describe_signals(signal_source(teacher, EVERYTHING, options)) == before
    assert "the stored signals are damaged; they are written again" in caplog.text
    assert teacher.load().passes == 2


def test_a_store_belongs_to_one_teacher_one_split_and_one_code(
    teacher, options, tmp_path, monkeypatch
) -> None:
    def stores() -> int:
        return sum(folder.is_dir() for folder in options.folder.iterdir())

    request = SignalRequest(logits=True)
    signal_source(teacher, request, options)
    (teacher.folder / ".snakemake_timestamp").touch()
    signal_source(teacher, request, options)
    assert stores() == 1
    half = SPLIT.select(np.arange(20))
    folder = tmp_path / "other"
    tiny_model(seed=5).save_pretrained(folder)
    changes = [{"split": half}, {"folder": folder}, {"pad_token_id": 1}]
    for number, change in enumerate(changes, start=2):
        signal_source(TeacherOfSplit(**{**vars(teacher), **change}), request, options)
        assert stores() == number
    monkeypatch.setattr(signal_source_module, "code_fingerprint", lambda *_: "other")
    signal_source(teacher, request, options)
    assert stores() == 5


def test_a_failed_pass_removes_its_files(teacher, options, monkeypatch) -> None:
    def fail(*_, **__):
        raise RuntimeError("half way")

    monkeypatch.setattr(Counting, "forward", fail)
    with pytest.raises(RuntimeError, match="half way"):
        signal_source(teacher, EVERYTHING, options)
    assert [path.suffix for path in options.folder.iterdir()] == [".lock"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.ENOLCK, errno.EROFS])
def test_a_live_teacher_is_used_where_signals_cannot_be_stored(
    teacher, options, monkeypatch, caplog, number
) -> None:
    def fail(*_):
        raise OSError(number, os.strerror(number))

    target = ("fcntl.flock",) if number == errno.ENOLCK else (signal_store.os, "fsync")
    monkeypatch.setattr(*target, fail)
    source = signal_source(teacher, EVERYTHING, options)
    assert isinstance(source, LiveSignals)
    assert describe_signals(source) == LiveTeacher()
    assert "the teacher's signals cannot be stored there" in caplog.text
    assert os.strerror(number) in caplog.text
    assert not files_in(options)


def test_a_lock_that_is_a_link_is_reported(teacher, options) -> None:
    signal_source(teacher, EVERYTHING, options)
    (lock,) = options.folder.glob("*.lock")
    lock.unlink()
    lock.symlink_to("elsewhere")
    with pytest.raises(UserError, match="this lock is a link"):
        signal_source(teacher, EVERYTHING, options)


def test_without_a_folder_the_teacher_is_live(teacher) -> None:
    assert isinstance(signal_source(teacher, EVERYTHING, SignalOptions("stored")), LiveSignals)


PROCESS = """
import sys, time
from dataclasses import replace
from pathlib import Path
import torch
from internal_kd.distillation.signal_source import *
from internal_kd.models.loading import load_classifier
from internal_kd.models.capture import FrozenTeacher
from internal_kd.distillation.signals import SignalRequest
from tests.distillation.splits import tiny_split
import logging

logging.basicConfig(level=logging.INFO)
folder, seconds = Path(sys.argv[1]), float(sys.argv[2])

class Slow(FrozenTeacher):
    def forward(self, *args, **named):
        print("pass", flush=True)
        time.sleep(seconds)
        return super().forward(*args, **named)

model, cpu = Slow(load_classifier(folder / "teacher")), torch.device("cpu")
config = model.model.config
teacher = TeacherOfSplit(lambda: model, config, folder / "teacher", tiny_split(40), 0, cpu)
request = SignalRequest(True, {1: 2, 2: 4}, ("cls", "attention"))
print("ready", flush=True)
sys.stdin.readline()
source = signal_source(teacher, request, SignalOptions("stored", folder=folder / "signals"))
print(describe_signals(source), flush=True)
"""


def process(folder: Path, seconds: float) -> subprocess.Popen:
    """A run of its own that is about to need signals; its teacher takes so long."""
    started = subprocess.Popen(
        [sys.executable, "-c", PROCESS, str(folder), str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
    )
    return started


def test_eight_runs_at_once_make_a_store_once(teacher, tmp_path) -> None:
    runs = [process(tmp_path, 0.3) for _ in range(8)]
    for run in runs:
        assert run.stdout.readline() == "ready\n"
    for run in runs:
        run.stdin.write("go\n")
        run.stdin.flush()
    ended = [run.communicate() for run in runs]
    lines = [out.splitlines() for out, _ in ended]
    assert sum(line == "pass" for out in lines for line in out) == 1
    assert len({out[-1] for out in lines}) == 1
    assert "SignalStores" in lines[0][-1]
    assert any("waiting for another process that writes them" in err for _, err in ended)


def test_one_that_waits_takes_over_from_a_killed_maker(teacher, tmp_path) -> None:
    maker = process(tmp_path, 60)
    heir = process(tmp_path, 0)
    for run in (maker, heir):
        assert run.stdout.readline() == "ready\n"
    maker.stdin.write("go\n")
    maker.stdin.flush()
    assert maker.stdout.readline() == "pass\n"
    heir.stdin.write("go\n")
    heir.stdin.flush()
    time.sleep(0.5)
    assert heir.poll() is None
    maker.kill()
    maker.communicate()
    out, _ = heir.communicate(timeout=60)
    assert out.splitlines()[0] == "pass"
    assert "SignalStores" in out.splitlines()[-1]
    assert not list((tmp_path / "signals").glob("*.partial"))


def test_processes_share_the_pages_of_a_store(teacher, options) -> None:
    """The mapping is of the file itself, and a private copy is only made of pages written to."""
    source = signal_source(teacher, EVERYTHING, options)
    assert isinstance(source, StoredSignals)
    file = files_in(options)["attention_2-4_fp32/attention.bin"]
    assert str(file) in Path("/proc/self/maps").read_text()
    record = json.loads((file.parent / "store.json").read_text())
    assert record["files"]["attention.bin"]["size"] == file.stat().st_size
