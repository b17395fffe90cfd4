import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from internal_kd.errors import UserError
from internal_kd.locks import exclusive, only_writer

HOLD = """
import sys
from pathlib import Path
from internal_kd.locks import only_writer
with only_writer(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
print("released", flush=True)
"""


def hold(lock: Path, **environment: str) -> subprocess.Popen:
    """Another process that takes the lock and keeps it until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | environment,
        text=True,
    )


@pytest.mark.parametrize("end", ["kill", "finish"])
def test_a_second_process_waits_and_names_the_holder(tmp_path, end):
    lock = tmp_path / "runs" / "run.lock"
    first = hold(lock, SLURM_JOB_ID="77")
    assert first.stdout.readline() == "held\n"
    second = hold(lock)
    line = second.stderr.readline()
    assert f"run.lock: SLURM job 77, process {first.pid} on " in line
    assert "is working on this run; waiting for it to end" in line
    time.sleep(0.3)
    assert second.poll() is None
    if end == "kill":
        first.kill()
    first.communicate()
    assert second.stdout.readline() == "held\n"
    assert f"process {second.pid} on " in lock.read_text()
    assert second.communicate()[0] == "released\n"


def test_the_lock_is_free_afterwards(tmp_path):
    for _ in range(2):
        with only_writer(tmp_path / "run.lock"):
            pass


def test_an_exclusive_lock_is_waited_for(tmp_path, caplog):
    file = tmp_path / "signals" / "store.lock"
    file.parent.mkdir()
    holder = hold(file)
    assert holder.stdout.readline() == "held\n"
    release = threading.Timer(0.3, holder.kill)
    release.start()
    with caplog.at_level("INFO"), exclusive(file, "signals"):
        assert holder.wait() < 0
    assert "signals: waiting for another process" in caplog.text
    holder.communicate()


def test_an_exclusive_lock_needs_a_file_system_with_locks(tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)
    with pytest.raises(OSError, match="No locks"), exclusive(tmp_path / "lock", "signals"):
        pass
    with only_writer(tmp_path / "lock"):
        pass


@pytest.mark.parametrize("mask", [0o022, 0o002, 0o077])
def test_a_lock_has_the_permissions_that_the_user_gives_new_files(tmp_path, mask):
    before = os.umask(mask)
    try:
        with only_writer(tmp_path / "run.lock"):
            pass
    finally:
        os.umask(before)
    assert (tmp_path / "run.lock").stat().st_mode & 0o777 == 0o666 & ~mask


@pytest.mark.parametrize("target", ["precious", "missing", "/dev/null", "run.lock"])
def test_a_lock_that_is_a_link_is_not_followed(tmp_path, target):
    (tmp_path / "precious").write_text("here")
    (tmp_path / "run.lock").symlink_to(target)
    for lock in (
        lambda file: exclusive(file, "").__enter__(),
        lambda file: only_writer(file).__enter__(),
    ):
        with pytest.raises(UserError, match=r"run\.lock: this lock is a link; remove it"):
            lock(tmp_path / "run.lock")
    assert (tmp_path / "precious").read_text() == "here"
    assert not (tmp_path / "missing").exists()
