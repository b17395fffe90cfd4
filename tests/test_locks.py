import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

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
