"""Stored signals on a cluster: jobs need a store at once, and the job that writes it is killed."""

import re
import signal
from os import kill
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from tests.slurm.started import RESULTS, TABLE, Started, Student, same_table
from tests.workflow.snakemake import snakemake
from tests.workflow.tiny import STUDY, make_project

pytestmark = [pytest.mark.slow, pytest.mark.slurm]

# So many examples that the teacher's pass can be met in the middle.
ROWS = 8_000
ALONE = ("--group-components", "students_rte=1")
STUDENTS = ("exp2.0", "exp3.2", "exp3.4")
SHORT = STUDY | {
    "data": {"source": "folder", "path": "text", "max_length": 16, "limit": None},
    "student": {"layers": 2, "training": {"epochs": 3}, "per_task": None},
    "table1": {"experiments": ["exp1.0", *STUDENTS]},
}


def make_large_project(folder: Path) -> Path:
    """The tiny study with many training examples."""
    make_project(folder)
    rng = np.random.default_rng(0)
    words = rng.integers(0, 20, (ROWS, 2, 4))
    first, second = ([" ".join(f"w{w}" for w in row) for row in words[:, side]] for side in (0, 1))
    labels = (words[:, 0, 0] < words[:, 1, 0]).astype(np.int64)
    columns = {"sentence1": first, "sentence2": second, "label": labels}
    pq.write_table(pa.table(columns), folder / "text/rte/train.parquet")
    (folder / "tiny.yaml").write_text(yaml.safe_dump(SHORT))
    return folder


@pytest.fixture(scope="module")
def undisturbed_signals(cluster, tmp_path_factory) -> Path:
    """The study, done on this machine without any disturbance."""
    folder = make_large_project(tmp_path_factory.mktemp("signals"))
    done = snakemake(folder, "--cores", "2", "--configfile", "tiny.yaml", "--", TABLE)
    assert done.returncode == 0, done.stdout
    return folder


def writer_of_stores(project: Path) -> int:
    """The process that writes a store at this moment; 0 if none does."""
    signals = project / RESULTS / "signals"
    if not any(signals.glob("*.partial/*/*.bin")):
        return 0
    (lock,) = signals.glob("*.lock")
    found = re.findall(r"process (\d+)", lock.read_text())
    return int(found[0]) if found else 0


def logs(project: Path) -> dict[str, str]:
    return {name: Student(project, name).log() for name in STUDENTS}


def test_a_waiting_job_takes_over_a_store_whose_writer_was_killed(
    cluster, undisturbed_signals, tmp_path
):
    project = make_large_project(tmp_path)
    started = Started(project, *ALONE)
    started.wait_until(lambda: writer_of_stores(project), pause=0.01)
    writer = writer_of_stores(project)
    kill(writer, signal.SIGSTOP)
    waiting = "waiting for another process that writes them"
    started.wait_until(lambda: any(waiting in log for log in logs(project).values()))
    (killed,) = (name for name, log in logs(project).items() if "writing" in log)
    kill(writer, signal.SIGKILL)
    started.wait_until(
        lambda: any(waiting in log and ": writing " in log for log in logs(project).values())
    )
    assert started.end() == 0, started.text()
    # The killed job was submitted again, and read what the other had written.
    assert ": writing " not in Student(project, killed).log()
    assert same_table(project, undisturbed_signals)
