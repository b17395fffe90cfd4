import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from internal_kd.errors import UserError
from internal_kd.locks import only_writer, writer_if_free

HOLD = """
import sys
from pathlib import Path
from internal_kd.locks import only_writer
with only_writer(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
print("left", flush=True)
"""


def hold(lock: Path, **environment: str) -> subprocess.Popen:
    """Another process that wants the lock, and keeps it until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | environment,
        text=True,
    )


@pytest.mark.parametrize("end", ["kill", "finish"])
def test_a_second_process_waits_and_says_for_whom(tmp_path, end):
    lock = tmp_path / "runs" / "run.lock"
    first = hold(lock, SLURM_JOB_ID="77")
    assert first.stdout.readline() == "held\n"
    second = hold(lock)
    told = second.stderr.readline()
    assert f"run.lock: SLURM job 77, process {first.pid} on " in told
    assert "is working on this run; waiting for it to end" in told
    time.sleep(0.3)
    assert second.poll() is None
    if end == "kill":
        first.kill()
    first.communicate()
    assert second.stdout.readline() == "held\n"
    assert f"process {second.pid} on " in lock.read_text()
    assert second.communicate()[0] == "left\n"


def test_the_lock_is_free_afterwards(tmp_path):
    for _ in range(2):
        with only_writer(tmp_path / "run.lock"):
            pass


def test_who_does_not_wait_gets_a_free_lock_only(tmp_path):
    file = tmp_path / "runs" / "run.lock"
    lock = writer_if_free(file)
    assert f"process {os.getpid()} on " in file.read_text()
    assert writer_if_free(file) is None
    lock.close()
    with only_writer(file):
        assert writer_if_free(file) is None


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
    for lock in (writer_if_free, lambda file: only_writer(file).__enter__()):
        with pytest.raises(UserError, match=r"run\.lock: this lock is a link; remove it"):
            lock(tmp_path / "run.lock")
    assert (tmp_path / "precious").read_text() == "here"
    assert not (tmp_path / "missing").exists()
