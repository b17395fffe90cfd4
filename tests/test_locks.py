import subprocess
import sys

import pytest

from internal_kd.errors import UserError
from internal_kd.locks import only_writer

HOLD = """
import sys
from pathlib import Path
from internal_kd.locks import only_writer
with only_writer(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_told_in_one_sentence(tmp_path):
    lock = tmp_path / "runs" / "run.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "held\n"
    message = r"run\.lock: another process is working on this run"
    with pytest.raises(UserError, match=message), only_writer(lock):
        pass
    holder.kill()
    holder.communicate()
    with only_writer(lock):
        pass


def test_the_lock_is_free_afterwards(tmp_path):
    for _ in range(2):
        with only_writer(tmp_path / "run.lock"):
            pass
