"""A cluster for the session, and a study that was done on this machine without any disturbance."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.slurm.cluster import Cluster, reason_not_to_start
from tests.slurm.started import TABLE
from tests.workflow.snakemake import snakemake
from tests.workflow.tiny import STUDY, make_project

# Two students, whose training is long enough to be met in the middle.
LONG = STUDY | {
    "student": {"layers": 2, "training": {"epochs": 4000}, "per_task": None},
    "table1": {"experiments": ["exp1.0", "exp1.1", "exp2.0"]},
}


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A cluster of one node."""
    reason = reason_not_to_start()
    if reason:
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="slurm"))
    cluster = Cluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder)


def fresh(folder: Path) -> Path:
    """A project with the long study, still to be done."""
    make_project(folder)
    (folder / "tiny.yaml").write_text(yaml.safe_dump(LONG))
    return folder


@pytest.fixture(scope="session")
def undisturbed(cluster, tmp_path_factory) -> Path:
    """A project with the long study, done."""
    folder = fresh(tmp_path_factory.mktemp("undisturbed"))
    done = snakemake(folder, "--cores", "2", "--configfile", "tiny.yaml", "--", TABLE)
    assert done.returncode == 0, done.stdout
    return folder
